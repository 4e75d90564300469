"""The command ``alphacut bench``."""

from __future__ import annotations

import hashlib
import shutil
import sys
import tempfile
from contextlib import ExitStack
from datetime import datetime, timezone
from pathlib import Path

import click

from alphacut_core import installed
from alphacut_core.contract import DEFAULT_PIPELINE
from alphacut_core.errors import EngineParityError, EngineSourceError
from alphacut_loadtest.bench import campaign, contenders, machine, parity, pictures, plot, table
from alphacut_loadtest.bench.campaign import Plan
from alphacut_loadtest.bench.result import Engine, Result
from alphacut_loadtest.bench.subject import Setting

_CHECKOUT = Path(__file__).resolve().parents[3]
_FOLDER = click.Path(path_type=Path, file_okay=False)
_NAMES = ", ".join(contender.name for contender in contenders.CONTENDERS)
_CONCURRENCIES, _QUICK_CONCURRENCIES = (1, 4, 16), (1, 4)


@click.command()
@click.option("--quick", is_flag=True, help="One round of few small pictures: about a minute on two cores.")
@click.option("--rounds", type=click.IntRange(1), default=5, show_default=True, help="Not with --quick.")
@click.option("--images", type=_FOLDER, help="Folder of JPEG and PNG photographs; default: made of the samples.")
@click.option("--contenders", "names", metavar="NAME,...", help=f"Only these, of {_NAMES}.")
@click.option("--output", type=_FOLDER, default=Path("out/bench"), show_default=True)
@click.option(
    "--weights",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    default=_CHECKOUT / "build_engines" / "alphacut_engines" / "weights" / "alphacut-u2netp.onnx",
    help="The plain network that the served engine was built from, for rembg; default: the bundled one.",
)
@click.option("--repository", type=_FOLDER, default=_CHECKOUT / "model_repository", help="Default: the checkout's.")
def bench(
    *, quick: bool, rounds: int, images: Path | None, names: str | None, output: Path, weights: Path, repository: Path
) -> None:
    """Compare Alphacut with rembg and with the bare engine: same weights, same photographs, in turns.

    Writes result.json, result.md and result.svg, and prints the second. There is nothing to pass: the ratios
    are the result. Only masks that differ too much from rembg's are an error, because then nothing was compared.
    """
    chosen = contenders.choose(names)
    plan = Plan(
        contenders=chosen,
        concurrencies=_QUICK_CONCURRENCIES if quick else _CONCURRENCIES,
        rounds=1 if quick else rounds,
        images_per_caller=1 if quick else 2,
    )
    engine = _engine(repository, weights)
    with tempfile.TemporaryDirectory(prefix="alphacut-bench-") as scratch:
        folder = Path(scratch)
        shots = pictures.QUICK if quick else pictures.FULL
        (folder / "pictures").mkdir()
        found = pictures.load(images) if images else pictures.make(_CHECKOUT / "samples", folder / "pictures", shots)
        result = _run(plan, engine, found, Path(shutil.copy(weights, folder)), repository.resolve())
        _write(result, output)
    outside = [one for one in result.parity if not one.within]
    if outside:
        raise EngineParityError(
            f"the masks of {', '.join(one.contender for one in outside)} differ from rembg's by more than "
            f"{engine.precision} may; the figures compare different work, run: alphacut build --force"
        )


def _engine(repository: Path, weights: Path) -> Engine:
    """Read what is served, and check that it is made of the weights that rembg gets."""
    served = installed.find(repository, DEFAULT_PIPELINE.engine)
    if served is None:
        raise EngineSourceError(
            f"there is no built engine of {DEFAULT_PIPELINE.engine} in {repository}; run: alphacut build"
        )
    facts = served.manifest
    sha256 = hashlib.sha256(weights.read_bytes()).hexdigest()
    if sha256 != facts["source_sha256"]:
        raise EngineSourceError(
            f"{served.folder} was built from a network with SHA-256 {facts['source_sha256'][:12]}, {weights} has "
            f"{sha256[:12]}; name the file that it was built from with --weights, or build it from this one"
        )
    return Engine(facts["model"], facts["precision"], sha256)


def _run(plan: Plan, engine: Engine, found: list[pictures.Picture], weights: Path, repository: Path) -> Result:
    setting = Setting(weights, repository, weights.parent, [picture.path.resolve() for picture in found])
    origin = machine.here()
    with ExitStack() as stack:
        there = campaign.start(stack, plan.contenders, setting, _report)
        masks = campaign.check_masks(there, plan.contenders, setting, found, parity.GATES[engine.precision])
        measurements = campaign.measure(there, plan, len(found), _report)
    return Result(
        created=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        commit=machine.commit(_CHECKOUT),
        machine=origin,
        engine=engine,
        versions={subject: worker.versions for subject, worker in there.workers.items()},
        start_s={subject: worker.start_s for subject, worker in there.workers.items()},
        pictures=found,
        contenders=[contender for contender in plan.contenders if there.takes_part(contender)],
        left_out=there.left_out,
        measurements=measurements,
        parity=masks,
    )


def _write(result: Result, output: Path) -> None:
    output.mkdir(parents=True, exist_ok=True)
    shown = table.markdown(result)
    (output / "result.json").write_text(result.to_json())
    (output / "result.md").write_text(shown)
    (output / "result.svg").write_text(plot.svg(result))
    click.echo(shown)
    _report(f"written to {output}/result.json, result.md and result.svg")


def _report(line: str) -> None:
    click.echo(line, err=True)
    sys.stderr.flush()
