"""The command ``alphacut build``."""

from __future__ import annotations

from pathlib import Path

import click

from alphacut_core.errors import EngineBuildError
from alphacut_engines import fetch, network, pipeline, registry
from alphacut_engines.fetch import Fetcher, Progress
from alphacut_engines.order import Order

_CHECKOUT = Path(__file__).parents[2] / "model_repository"
_FOLDER = click.Path(path_type=Path, file_okay=False, exists=True)
_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)


@click.command()
@click.argument("model", default="bundled")
@click.option(
    "--repository",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="ALPHACUT_REPOSITORY",
    help="Triton's model repository; default: the checkout's, or $ALPHACUT_REPOSITORY.",
)
@click.option(
    "--target",
    type=click.Choice(["cpu", "tensorrt_rtx"]),
    default="cpu",
    show_default=True,
    help="What the engine is for; tensorrt_rtx is built for all its GPUs, without one.",
)
@click.option(
    "--precision",
    type=click.Choice(["auto", "fp32", "bf16", "fp16", "int8"]),
    default="auto",
    show_default=True,
    help="What the engine computes in; auto is the fastest. What fails the gate is replaced by the next.",
)
@click.option("--gate", type=_FOLDER, help="Folder of at least 100 photographs to judge engines by.")
@click.option("--calibration", type=_FOLDER, help="Folder of photographs that INT8 is fitted to; never the same ones.")
@click.option("--like", metavar="NAME", help="For your own .onnx: the known model that it is used like.")
@click.option("--recipe", type=_FILE, help="For your own .onnx: how it is used, as JSON.")
@click.option("--from-file", type=_FILE, help="Published weights that you loaded by other means.")
@click.option("--mirror", metavar="URL", envvar="ALPHACUT_MIRROR", help="Load weights from there, or $ALPHACUT_MIRROR.")
@click.option("--accept-licence", metavar="NAME", help="Licence of weights that are not free for every use.")
@click.option("--force", is_flag=True, help="Build even if the same build is installed.")
def build(
    *,
    model: str,
    repository: Path | None,
    target: str,
    precision: str,
    gate: Path | None,
    calibration: Path | None,
    like: str | None,
    recipe: Path | None,
    from_file: Path | None,
    mirror: str | None,
    accept_licence: str | None,
    force: bool,
) -> None:
    """Build MODEL's engine and install it into a Triton model repository.

    MODEL is the name of a known network, or the path of your own .onnx file; without one, the bundled network is
    built.
    """
    wanted = network.identify(model, like, recipe)
    registry.check_licence(wanted, accept_licence)
    repository = _repository(repository)
    fetcher = Fetcher(folder=fetch.cache_folder(), mirror=mirror)
    order = Order(
        recipe=wanted,
        source=network.locate(wanted, model, from_file, fetcher, _percentages()),
        repository=repository,
        target=target,
        precision=precision,
        gate=gate,
        calibration=calibration,
        force=force,
    )
    if not pipeline.build(order, _tell):
        click.echo(f"{wanted.name} for {target} in {precision} is installed in {order.folder}; nothing to do")


def _repository(given: Path | None) -> Path:
    if given is not None:
        return given
    if not _CHECKOUT.is_dir():
        raise EngineBuildError(
            f"there is no model repository at {_CHECKOUT}, where a checkout has it; pass --repository DIR"
        )
    return _CHECKOUT


def _tell(step: pipeline.Step) -> None:
    click.echo(f"{step.stage:<10} {step.time_s:6.1f} s  {step.outcome}")


def _percentages() -> Progress:
    """Return a function that prints a line for every tenth of a download."""
    told = 0

    def tell(arrived: int, total: int | None) -> None:
        nonlocal told
        if total and arrived * 10 // total > told:
            told = arrived * 10 // total
            click.echo(f"{'fetch':<10} {told * 10:>4} % of {total / 1e6:.1f} MB")

    return tell
