"""The command ``alphacut models``."""

from __future__ import annotations

from pathlib import Path

import click

from alphacut_engines import inventory
from alphacut_engines.repository import REPOSITORY_OPTION, locate


@click.command()
@REPOSITORY_OPTION
@click.option("--json", "as_json", is_flag=True, help="A list of objects for programs, with the folder of each engine.")
def models(*, repository: Path | None, as_json: bool) -> None:
    """List the engines that are installed, and what is known of each."""
    found = list(inventory.rows(locate(repository)))
    if as_json:
        click.echo(inventory.to_json(found))
    elif found:
        inventory.show(found)
    else:
        click.echo("no engine is installed; run: alphacut build")
