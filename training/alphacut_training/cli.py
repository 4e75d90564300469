"""The commands of ``alphacut`` that need PyTorch: from ``label`` and ``train`` to ``export`` and ``frontier``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from alphacut_core import bundled
from alphacut_core.errors import AlphacutError, MissingLibraryError

if TYPE_CHECKING:
    from alphacut_training.claim import Origin
    from alphacut_training.network import U2Net
    from alphacut_training.pairs import Finding
    from alphacut_training.settings import Settings

_FOLDER = click.Path(path_type=Path, file_okay=False, exists=True)
_FILE = click.Path(path_type=Path, dir_okay=False)
_OUTPUT = click.Path(path_type=Path, file_okay=False)
_SIDE = click.IntRange(1)
_size = click.option("--size", type=_SIDE, default=320, show_default=True, help="Side of the square in pixels.")


def _run_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add what every training run takes; the defaults are ``Settings``'."""
    options = [
        click.option(
            "--data", type=_FOLDER, required=True, help="images/ and masks/, or cutouts/; backgrounds/ if any."
        ),
        click.option("--output", type=_OUTPUT, required=True, help="For checkpoints, logs and the finished network."),
        click.option("--epochs", type=int, help="At most. Default: 30; with --minutes no limit."),
        click.option("--minutes", type=float, help="Train no longer; the course is fitted to it. Default: no limit."),
        click.option("--size", type=int, default=320, show_default=True, help="Side of the square in pixels."),
        click.option("--first-size", type=int, help="Side at the start; grows to --size. Default: --size."),
        click.option(
            "--tiers", type=float, default=0.0, show_default=True, help="Share of late steps at smaller tiers' sizes."
        ),
        click.option("--batch", type=int, default=12, show_default=True, help="Pictures a step on each device."),
        click.option("--learning-rate", type=float, default=4e-4, show_default=True, help="At its highest."),
        click.option("--composites", type=float, default=0.3, show_default=True, help="Share on other backgrounds."),
        click.option(
            "--hold-out", type=float, default=0.1, show_default=True, help="Share to check on, never trained."
        ),
        click.option(
            "--patience", type=int, help="Epochs without gain before the end. Default: 10; with --minutes none."
        ),
        click.option(
            "--precision",
            type=click.Choice(["fp32", "bf16", "fp16"]),
            default="fp32",
            show_default=True,
            help="What it computes in.",
        ),
        click.option("--devices", type=int, default=1, show_default=True, help="GPUs; without any, processes."),
        click.option("--workers", type=int, default=0, show_default=True, help="Processes that prepare pictures."),
        click.option("--seed", type=int, default=0, show_default=True, help="Decides all that is drawn."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@click.command()
@click.option(
    "--architecture",
    type=click.Choice(["u2net", "u2netp"]),
    default="u2netp",
    show_default=True,
    help="u2netp is the small one.",
)
@_run_options
def train(architecture: str, **options: Any) -> None:
    """Train a network from nothing."""
    with _typed():
        import lightning

        from alphacut_training import network

        settings = _settings(options)
        lightning.seed_everything(settings.seed, verbose=False)  # the first weights are drawn, too
        origin = {"command": "train", "architecture": architecture}
        _fit(network.U2Net(network.architecture(architecture)), settings, origin)


@click.command(name="fine-tune")
@click.option("--start", type=_FILE, default=bundled.NETWORK, help="Network to start from; default: the bundled one.")
@click.option(
    "--norm",
    type=click.Choice(["frozen", "trained"]),
    default="frozen",
    show_default=True,
    help="Whether batch normalisation keeps its statistics, or learns yours; the latter takes thousands of pictures.",
)
@_run_options
def fine_tune(start: Path, **options: Any) -> None:
    """Train a network further on your own pictures."""
    with _typed():
        from alphacut_training import checkpoint

        network = checkpoint.load(start)
        _fit(network, _settings(options), {"command": "fine-tune", "start": checkpoint.fingerprint(start)})


@click.command()
@click.option("--teacher", type=_FILE, required=True, help="A better, larger network.")
@click.option("--student", type=_FILE, default=bundled.NETWORK, help="The network to train; default: the bundled one.")
@_run_options
def distil(teacher: Path, student: Path, **options: Any) -> None:
    """Train a small network to find what a large one finds."""
    with _typed():
        from alphacut_training import checkpoint

        network, better = checkpoint.load(student), checkpoint.load(teacher)
        files = {"student": checkpoint.fingerprint(student), "teacher": checkpoint.fingerprint(teacher)}
        _fit(network, _settings(options), {"command": "distil", **files}, better)


@click.command()
@click.option("--model", type=_FILE, required=True, help="A better, larger network.")
@click.option("--data", type=_FOLDER, required=True, help="images/, with masks/ for some, and backgrounds/ if any.")
@click.option("--output", type=_OUTPUT, required=True, help="For the same folders, to train on.")
@_size
def label(model: Path, data: Path, output: Path, size: int) -> None:
    """Have a large network make the masks of pictures to train a small one on."""
    with _typed():
        from alphacut_training import label as labelling
        from alphacut_training import predictor

        taken, left_out = labelling.label(predictor.of_file(model, size), data, output, _progress)
        _tell_left_out(left_out)
        click.echo(f"{output}: {taken} pictures, {len(left_out)} left out; look through its masks/ before you train")


@click.command()
@click.option("--start", type=_FILE, default=bundled.NETWORK, help="Network to cut down; default: the bundled one.")
@click.option("--ratio", type=float, required=True, help="Share of the channels to take out, up to 0.75.")
@_run_options
def prune(start: Path, ratio: float, **options: Any) -> None:
    """Take channels out of a network, then train what is left."""
    with _typed():
        from alphacut_training import checkpoint, data, fit
        from alphacut_training import prune as pruning

        settings = _settings(options)
        pruning.check(ratio)  # before all pictures are decoded
        network = checkpoint.load(start)
        fit.restore(network, data.survey(settings.data, _tell), settings, _tell)
        pruned = pruning.prune(network, ratio)
        _tell(f"{pruning.parameters(network):,} parameters became {pruning.parameters(pruned):,}")
        _fit(pruned, settings, {"command": "prune", "start": checkpoint.fingerprint(start), "ratio": ratio})


@click.command()
@click.option("--model", type=_FILE, required=True, help="A .pth, .ckpt or .onnx file.")
@click.option("--output", type=_FILE, required=True, help="The .onnx file to write.")
@_size
@click.option("--start", type=_FILE, help="What it was trained from, to write a network between the two.")
@click.option("--share", type=float, default=0.5, show_default=True, help="With --start: 0 is it, 1 is --model.")
def export(model: Path, output: Path, size: int, start: Path | None, share: float) -> None:
    """Write a network as ONNX, for alphacut build."""
    with _typed():
        from alphacut_training import blend, checkpoint
        from alphacut_training import export as exporting

        network = checkpoint.load(model)
        if start is not None:
            network = blend.blend(checkpoint.load(start), network, share)
        exporting.export(network, output, size)
        click.echo(f"{output}: build it with `alphacut build {output} --like bundled`")


@click.command()
@click.option(
    "--model", type=_FILE, multiple=True, default=[bundled.NETWORK], help="Repeat to compare; default: the bundled one."
)
@click.option("--data", type=_FOLDER, required=True, help="images/ and masks/.")
@_size
@click.option(
    "--output", type=_OUTPUT, help="For JSON, CSV, the reliability diagram and a sheet of the worst pictures."
)
def evaluate(model: tuple[Path, ...], data: Path, size: int, output: Path | None) -> None:
    """Measure networks on pictures with known masks."""
    with _typed():
        from alphacut_training import evaluation, findings, naming, predictor

        saliencies = [predictor.of_file(file, size) for file in model]
        networks = list(zip(naming.names(model), saliencies, strict=True))
        found = [(name, evaluation.evaluate(saliency, data, _progress)) for name, saliency in networks]
        _tell_left_out(found[0][1].left_out)
        click.echo(evaluation.table(found))
        if output is not None:
            _tell_left_out(findings.write(found, networks, data, output))
            click.echo(f"details in {output}")


@click.command()
@click.option("--model", type=_FILE, multiple=True, required=True, help="Repeat for each network.")
@click.option(
    "--size",
    type=_SIDE,
    multiple=True,
    default=[320, 256, 160],
    show_default=True,
    help="Repeat for each side in pixels.",
)
@click.option("--data", type=_FOLDER, required=True, help="images/ and masks/.")
@click.option("--output", type=_OUTPUT, required=True, help="For the table, the plot and the numbers.")
def frontier(model: tuple[Path, ...], size: tuple[int, ...], data: Path, output: Path) -> None:
    """Compare networks in size, speed and accuracy."""
    with _typed():
        import tempfile

        from alphacut_training import frontier as comparing

        with tempfile.TemporaryDirectory(prefix="alphacut-frontier-") as scratch:
            points, left_out = comparing.measure(model, size, data, Path(scratch))
        _tell_left_out(left_out)
        output.mkdir(parents=True, exist_ok=True)
        (output / "frontier.md").write_text(comparing.table(points) + "\n")
        (output / "frontier.json").write_text(comparing.to_json(points))
        (output / "frontier.svg").write_text(comparing.plot(points))
        click.echo(comparing.table(points))


def _settings(options: dict[str, Any]) -> Settings:
    from alphacut_training.settings import Settings

    first_size = options.pop("first_size") or options["size"]
    return Settings(first_size=first_size, **options)


def _fit(network: U2Net, settings: Settings, origin: Origin, teacher: U2Net | None = None) -> None:
    from alphacut_training import fit

    outcome = fit.fit(network, settings, _tell, origin=origin, teacher=teacher, progress=sys.stderr.isatty())
    before, after = outcome.start_max_f_beta, outcome.max_f_beta
    click.echo(f"{outcome.file}: max F-beta {after:.3f} after {outcome.epochs} epochs, {before:.3f} before")
    click.echo(f"next: alphacut export --model {outcome.file} --output mine.onnx")


@contextmanager
def _typed() -> Iterator[None]:
    """Turn typed errors, and the lack of PyTorch, into one line and exit status 1."""
    try:
        try:
            import torch  # noqa: F401
        except ImportError as error:
            raise MissingLibraryError(
                f"training needs PyTorch ({error}); run pip install '.[training]' in the checkout"
            ) from error
        yield
    except AlphacutError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(1)
    except OSError as error:  # pictures and networks that cannot be read have errors of their own
        why = f"cannot write {error.filename or 'a file'}: {error.strerror or error}"
        click.echo(f"error: {why}; free space, mend permissions, or give another --output", err=True)
        sys.exit(1)


def _tell(line: str) -> None:
    click.echo(f"alphacut: {line}", err=True)


def _tell_left_out(findings: Iterable[Finding]) -> None:
    from alphacut_training import pairs

    if told := pairs.summary(findings):
        _tell(told)


def _progress(done: int, total: int) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r{done} of {total}", nl=done == total, err=True)
