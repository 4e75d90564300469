"""The command ``alphacut bench``."""

from __future__ import annotations

import shutil
import sys
import tempfile
from contextlib import ExitStack
from datetime import datetime, timezone
from pathlib import Path

import click

from alphacut_client.commands import SummarisedGroup
from alphacut_core import bundled
from alphacut_core.errors import EngineParityError
from alphacut_loadtest.bench import campaign, contenders, machine, own_build, parity, pictures, places, plot, table
from alphacut_loadtest.bench.campaign import Plan
from alphacut_loadtest.bench.places import FOLDER, REPOSITORY_OPTION, WEIGHTS_OPTION
from alphacut_loadtest.bench.result import Engine, Result
from alphacut_loadtest.bench.soak import soak
from alphacut_loadtest.bench.start import start
from alphacut_loadtest.bench.subject import Setting

_NAMES = ", ".join(contender.name for contender in contenders.CONTENDERS)
_CONCURRENCIES, _QUICK_CONCURRENCIES = (1, 4, 16), (1, 4)


@click.group(cls=SummarisedGroup, invoke_without_command=True)
@click.option("--quick", is_flag=True, help="One round of few small pictures: about a minute on two cores.")
@click.option("--rounds", type=click.IntRange(1), default=5, show_default=True, help="Not with --quick.")
@click.option("--images", type=FOLDER, help="Folder of JPEG and PNG photographs; default: made of the samples.")
@click.option("--contenders", "names", metavar="NAME,...", help=f"Only these, of {_NAMES}.")
@click.option("--output", type=FOLDER, default=Path("out/bench"), show_default=True, help="For the results.")
@WEIGHTS_OPTION
@REPOSITORY_OPTION
@click.pass_context
def bench(
    context: click.Context,
    /,
    *,
    quick: bool,
    rounds: int,
    images: Path | None,
    names: str | None,
    output: Path,
    weights: Path,
    repository: Path,
) -> None:
    """Compare Alphacut with rembg and with the bare engine: same weights, same photographs, in turns.

    Writes result.json, result.md and result.svg, and prints the second. There is nothing to pass: the ratios
    are the result. Only masks that differ too much from rembg's are an error, because then nothing was compared.
    """
    if context.invoked_subcommand is not None:
        return
    chosen = contenders.choose(names)
    plan = Plan(
        contenders=chosen,
        concurrencies=_QUICK_CONCURRENCIES if quick else _CONCURRENCIES,
        rounds=1 if quick else rounds,
        images_per_caller=1 if quick else 2,
    )
    engine = places.engine(repository, weights)
    with tempfile.TemporaryDirectory(prefix="alphacut-bench-") as scratch:
        folder = Path(scratch)
        shots = pictures.QUICK if quick else pictures.FULL
        (folder / "pictures").mkdir()
        found = pictures.load(images) if images else pictures.make(bundled.SAMPLES, folder / "pictures", shots)
        result = _run(plan, engine, found, Path(shutil.copy(weights, folder)), repository.resolve())
        _write(result, output)
    outside = [one for one in result.parity if not one.within]
    if outside:
        raise EngineParityError(
            f"the masks of {', '.join(one.contender for one in outside)} differ from rembg's by more than "
            f"{engine.precision} may; the figures compare different work, run: alphacut build --force"
        )


@bench.command("u2net")
@click.option("--precision", default="auto", show_default=True, help="As of alphacut build.")
@click.option("--calibration", type=FOLDER, help="Photographs that INT8 is fitted to; default: crops of samples.")
@click.option("--gate", type=FOLDER, help="At least 100 others to judge engines by; default: crops of other samples.")
@click.option(
    "--output",
    type=FOLDER,
    default=Path("out/bench-u2net"),
    show_default=True,
    help="For network, repository and photographs.",
)
def u2net_command(precision: str, calibration: Path | None, gate: Path | None, output: Path) -> None:
    """Build full U²-Net for the bench: the bundled network, widened to 44 million weights without changing its masks.

    Prints the options that let the bench run it. The product's own model repository is not touched.
    """
    made = own_build.build(bundled.NETWORK, bundled.SAMPLES, output, precision, calibration=calibration, gate=gate)
    click.echo(f"--weights {made.weights} --repository {made.repository}")


def _run(plan: Plan, engine: Engine, found: list[pictures.Picture], weights: Path, repository: Path) -> Result:
    setting = Setting(weights, repository, weights.parent, [picture.path.resolve() for picture in found])
    origin = machine.here()
    with ExitStack() as stack:
        there = campaign.start(stack, plan.contenders, setting, _report)
        masks = campaign.check_masks(there, plan.contenders, setting, found, parity.GATES[engine.precision])
        measurements = campaign.measure(there, plan, len(found), _report)
        footprints = campaign.watch_memory(there, plan, len(found), _report)
    return Result(
        created=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        commit=machine.commit(bundled.CHECKOUT),
        machine=origin,
        engine=engine,
        versions={subject: worker.versions for subject, worker in there.workers.items()},
        start_s={subject: worker.start_s for subject, worker in there.workers.items()},
        pictures=found,
        contenders=[contender for contender in plan.contenders if there.takes_part(contender)],
        left_out=there.left_out,
        measurements=measurements,
        footprints=footprints,
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


bench.add_command(soak)
bench.add_command(start)
