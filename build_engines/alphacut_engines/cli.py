"""The command ``alphacut build``."""

from __future__ import annotations

from pathlib import Path

import click

from alphacut_engines import fetch, inventory, network, pipeline, registry, slot
from alphacut_engines.fetch import Fetcher
from alphacut_engines.fetch import Progress as Arrived
from alphacut_engines.inventory import Row
from alphacut_engines.order import DEFAULT_LEVEL, Order
from alphacut_engines.progress import Progress
from alphacut_engines.repository import REPOSITORY_OPTION, locate
from alphacut_engines.slot import TIER_OPTION, target_option

_FOLDER = click.Path(path_type=Path, file_okay=False, exists=True)
_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)
_REPORTS = Path("out", "report")


@click.command()
@click.argument("model", default="bundled")
@REPOSITORY_OPTION
@target_option(
    "What the engine is for; tensorrt is built on the GPU at hand, tensorrt_rtx for all its GPUs without one."
)
@TIER_OPTION
@click.option(
    "--precision",
    type=click.Choice(["auto", "fp32", "bf16", "fp16", "int8"]),
    default="auto",
    show_default=True,
    help="What the engine computes in; auto is the fastest. What fails the gate is replaced by the next.",
)
@click.option("--gate", type=_FOLDER, help="Folder of at least 100 photographs to judge engines by.")
@click.option("--calibration", type=_FOLDER, help="Folder of photographs that INT8 is fitted to; none of --gate's.")
@click.option(
    "--level",
    type=click.IntRange(0, 5),
    default=DEFAULT_LEVEL,
    show_default=True,
    help="How long TensorRT looks for faster kernels.",
)
@click.option("--report", is_flag=True, help="Then measure all precisions on this CPU; the table goes to out/report/.")
@click.option("--name", metavar="NAME", help="What callers call it; default: its own name.")
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
    tier: tuple[str, ...],
    precision: str,
    gate: Path | None,
    calibration: Path | None,
    level: int,
    report: bool,
    name: str | None,
    like: str | None,
    recipe: Path | None,
    from_file: Path | None,
    mirror: str | None,
    accept_licence: str | None,
    force: bool,
) -> None:
    """Build MODEL's engines and install them into a Triton model repository.

    MODEL is the name of a known network, or the path of your own .onnx file; without one, the bundled network is
    built, which is the default network of the server.
    """
    wanted = slot.assign(network.identify(model, like, recipe), name)
    registry.check_licence(wanted, accept_licence)
    sized = {mode: slot.at_tier(wanted, mode) for mode in slot.tiers_of(tier)}
    folder = locate(repository)
    fetcher = Fetcher(folder=fetch.cache_folder(), mirror=mirror)
    source = network.locate(wanted, model, from_file, fetcher, _percentages())
    rows: list[Row] = []
    for mode, at_tier in sized.items():
        order = Order(
            recipe=at_tier,
            tier=mode,
            native_size=wanted.size,
            source=source,
            repository=folder,
            target=target,
            precision=precision,
            gate=gate,
            calibration=calibration,
            force=force,
            level=level,
        )
        with Progress(order.engine) as progress:
            outcome = pipeline.build(order, progress.tell, progress.begin)
        if outcome.note:
            click.echo(f"{order.engine} for {target} in {precision}: {outcome.note}")
        rows.append(Row.of(outcome.installed))
        if report:
            _report(order)
    inventory.show(rows)


def _report(order: Order) -> None:
    from alphacut_engines import reporting  # noqa: PLC0415  imports every runtime

    made = reporting.measure(order, lambda line: click.echo(f"report     {line}"))
    click.echo(made.to_markdown())
    for path in reporting.write(made, _REPORTS):
        click.echo(path)


def _percentages() -> Arrived:
    """Return a function that prints a line for every tenth of a download."""
    told = 0

    def tell(arrived: int, total: int | None) -> None:
        nonlocal told
        if total and arrived * 10 // total > told:
            told = arrived * 10 // total
            click.echo(f"{'fetch':<10} {told * 10:>4} % of {total / 1e6:.1f} MB")

    return tell
