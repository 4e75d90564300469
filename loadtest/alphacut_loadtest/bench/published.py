"""A measurement's files, written and shown."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from alphacut_loadtest import results


def publish(folder: Path, name: str, *, json: Callable[[], str], md: Callable[[], str]) -> None:
    """Write both as ``results.write`` does, say where, and print the second."""
    written, shown = results.write(folder, name, json=json, md=md)
    for path in (written, shown):
        click.echo(f"written to {path}", err=True)
    click.echo(shown.read_text())
