"""The command ``alphacut build``."""

from __future__ import annotations

from pathlib import Path

import click

from alphacut_core.errors import EngineBuildError
from alphacut_engines import pipeline, registry

_CHECKOUT = Path(__file__).parents[2] / "model_repository"


@click.command()
@click.argument("model", default="bundled")
@click.option(
    "--repository",
    type=click.Path(path_type=Path, file_okay=False),
    help="Triton's model repository.  [default: the checkout's]",
)
@click.option("--target", type=click.Choice(["cpu"]), default="cpu", show_default=True, help="What the engine is for.")
@click.option(
    "--precision", type=click.Choice(["fp32"]), default="fp32", show_default=True, help="What the engine computes in."
)
@click.option("--force", is_flag=True, help="Build even if the same build is installed.")
def build(model: str, repository: Path | None, target: str, precision: str, force: bool) -> None:
    """Build MODEL's engine and install it into a Triton model repository.

    MODEL is the name of a known network; without one, the bundled network is built.
    """
    recipe = registry.find(model)
    order = pipeline.Order(
        recipe=recipe,
        source=recipe.weights,
        repository=_repository(repository),
        target=target,
        precision=precision,
        force=force,
    )
    if not pipeline.build(order, _tell):
        click.echo(f"{recipe.name} for {target} in {precision} is installed in {order.folder}; nothing to do")


def _repository(given: Path | None) -> Path:
    if given is not None:
        return given
    if not _CHECKOUT.is_dir():
        raise EngineBuildError(
            f"there is no model repository at {_CHECKOUT}, where a checkout has it; pass --repository DIR"
        )
    return _CHECKOUT


def _tell(stage: pipeline.Stage) -> None:
    click.echo(f"{stage.name:<10} {stage.time_s:6.1f} s  {stage.outcome}")
