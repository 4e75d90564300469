"""Where results are kept: ``loadtest/results/DATE-MACHINE/`` or ``DATE-ADDRESS/``."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from alphacut_core import bundled
from alphacut_loadtest.origin import Origin

FOLDER = bundled.CHECKOUT / "loadtest" / "results"


def into_checkout(_: click.Context, __: click.Parameter, wanted: bool) -> bool:
    """Refuse an option that writes into the checkout where there is none: its callback, before anything is measured."""
    if wanted and not FOLDER.parent.is_dir():
        raise click.BadParameter(
            f"it writes into {FOLDER.parent} of a checkout, and this is an installation; leave it out"
        )
    return wanted


KEEP_OPTION = click.option(
    "--keep",
    is_flag=True,
    callback=into_checkout,
    help="Write to loadtest/results/DATE-MACHINE, with --url DATE-ADDRESS, instead.",
)


def folder(origin: Origin, results: Path = FOLDER) -> Path:
    """Return the folder of a day and machine, such as ``2026-11-21-epyc-2-cores``, or address, if that is known."""
    day = origin.created[:10]
    if origin.url is not None:
        return results / "-".join([day, *re.findall(r"[a-z0-9]+", origin.url.lower().split("://")[-1])])
    words = re.findall(r"[a-z0-9]+", origin.machine.processor.lower())
    kept = [word for word in words if word not in ("amd", "intel", "r", "cpu", "processor", "core", "tm", "ghz")]
    return results / f"{day}-{'-'.join(kept[:2]) or 'machine'}-{origin.machine.cores}-cores"


def chosen(origin: Origin, options: Mapping[str, Any]) -> Path:
    """Return the folder that ``--keep`` or ``--output`` means; it is made when there is something to write.

    Raises:
        BadParameter: It cannot be made, which is better known before anything is measured.
    """
    place = folder(origin) if options["keep"] else Path(options["output"])
    path = place.absolute()
    there = next(parent for parent in (path, *path.parents) if parent.exists())
    if not (there.is_dir() and os.access(there, os.W_OK)):
        amiss = "not writable" if there.is_dir() else "no folder"
        raise click.BadParameter(f"{there} is {amiss}.", param_hint="--output")
    return place


def write(folder: Path, name: str, **contents: Callable[[], str]) -> list[Path]:
    """Write a result's files, ``NAME.html`` from what ``html=...`` returns, and return their paths.

    A file that is there already is kept: the new ones get a number. Each is written before the next is made, so that
    a page that cannot be made costs no measurement.
    """
    folder.mkdir(parents=True, exist_ok=True)
    number = 1
    while any((folder / f"{_numbered(name, number)}.{suffix}").exists() for suffix in contents):
        number += 1
    paths = []
    for suffix, content in contents.items():
        path = folder / f"{_numbered(name, number)}.{suffix}"
        path.write_text(content())
        paths.append(path)
    return paths


def _numbered(name: str, number: int) -> str:
    return name if number == 1 else f"{name}-{number}"
