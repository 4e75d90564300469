"""The command ``alphacut rollback``."""

from __future__ import annotations

from pathlib import Path

import click

from alphacut_core import tiers
from alphacut_engines import install, slot
from alphacut_engines.repository import REPOSITORY_OPTION, locate
from alphacut_engines.slot import TIER_OPTION, target_option


@click.command()
@click.argument("model", default=tiers.DEFAULT_MODEL)
@REPOSITORY_OPTION
@target_option("What the engine is for.")
@TIER_OPTION
def rollback(*, model: str, repository: Path | None, target: str, tier: tuple[str, ...]) -> None:
    """Serve the version of MODEL's engine that was installed before the last one.

    A running server takes it in at once, one of another size when it is started anew. Rolling back again undoes it.
    """
    folder = locate(repository)
    engines = [tiers.pipeline(model, mode).engine for mode in slot.tiers_of(tier)]
    # All or none: what was rolled back before another tier failed would go forward when the command is given again.
    serving = [install.to_roll_back(folder, engine, target)[0] for engine in engines]
    for engine, now in zip(engines, serving, strict=True):
        back = install.roll_back(folder, engine, target)
        note = install.size_note(now.pipeline.size, back.pipeline.size)
        click.echo(f"{engine} serves version {back.version} again, in place of {now.version}{note}")
