"""``alphacut remove``: a file, a folder, or a pipe."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from alphacut_client import folder, pipe, result, wishes
from alphacut_client.client import Client
from alphacut_client.embedded import connected
from alphacut_client.option_groups import GroupedCommand
from alphacut_client.settings import RenderOn
from alphacut_client.sweep import Sweep, sweep
from alphacut_core.errors import InputError
from alphacut_core.tiers import DEFAULT_MODEL

Cut = Callable[[Client, bytes | Path], bytes]
Connect = Callable[[], AbstractContextManager[Client]]

_PIPE = Path("-")
_FORMATS = {"png": "png", "webp": "webp", "avif": "avif", "jpg": "jpeg", "jpeg": "jpeg"}
"""File formats by how a file's name ends; the first ending of each is what a folder's results get."""


@click.command(cls=GroupedCommand)
@click.argument("source", metavar="INPUT", type=click.Path(exists=True, allow_dash=True, path_type=Path))
@wishes.declared
def remove(
    *,
    source: Path,
    target: Path,
    url: str | None,
    jobs: int,
    overwrite: bool,
    timeout_s: float,
    retry_for_s: float,
    render_on: RenderOn,
    **spoken: Any,
) -> None:
    """Cut out the subject of INPUT: a photograph, a folder of them, or - for standard input.

    A folder keeps its structure, links in it are followed, and what is finished already is skipped; what cannot be
    read fails alone. Without --url an embedded server is started for the call. The mask is shaped in the order in
    which the options are listed.
    """
    whole_folder = source != _PIPE and os.path.isdir(source)
    named = not (whole_folder or target == _PIPE or os.path.isdir(target))
    spoken["format"] = _format(target, spoken["format"], named=named)
    keywords = wishes.keywords(spoken)
    cut = _cutter(spoken["mask"], keywords)
    suffix = "." + next(ending for ending, name in _FORMATS.items() if name == spoken["format"])
    connect = functools.partial(
        connected,
        url,
        keywords.get("model", DEFAULT_MODEL),
        keywords["mode"],
        timeout_s=timeout_s,
        retry_for_s=retry_for_s,
        window=jobs,
        render_on=render_on,
    )
    if whole_folder:
        _remove_folder(source, target, connect, cut, suffix=suffix, jobs=jobs, overwrite=overwrite)
    else:
        _remove_file(source, target / f"{source.stem}{suffix}" if os.path.isdir(target) else target, connect, cut)


def _remove_file(source: Path, target: Path, connect: Connect, cut: Cut) -> None:
    if _PIPE not in (source, target) and os.path.exists(target) and os.path.samefile(source, target):
        raise InputError(f"the result would overwrite {source}; name another file")
    image = pipe.read() if source == _PIPE else source
    with connect() as client:
        cutout = cut(client, image)
    if target == _PIPE:
        pipe.write(cutout)
        return
    result.write(target, cutout)


def _remove_folder(
    source: Path, target: Path, connect: Connect, cut: Cut, *, suffix: str, jobs: int, overwrite: bool
) -> None:
    if target == _PIPE or (os.path.exists(target) and not os.path.isdir(target)):
        raise click.UsageError(f"INPUT is a folder, so OUTPUT must be one; got {target}")
    planned = folder.plan(source, target, suffix)
    for path, reason in planned.refused.items():
        click.echo(f"error: {path}: {reason}", err=True)
    todo = [job for job in planned.jobs if overwrite or not job.finished]
    swept = Sweep()
    if todo:
        with connect() as client:
            swept = sweep(todo, functools.partial(cut, client), jobs, client.close, Console(stderr=True))
    failed = [*planned.refused, *swept.failed]
    before = len(planned.jobs) - len(todo)
    click.echo(f"{swept.done} cut out, {before} were finished before, {len(failed)} failed", err=True)
    for path in failed:
        click.echo(f"  {path}", err=True)
    if swept.left:
        advice = "mend that, and the same command goes on with them"
        click.echo(f"error: {swept.left} were left, since {swept.reason}; {advice}", err=True)
    if failed or swept.left:
        sys.exit(1)


def _format(target: Path, asked: str | None, named: bool) -> str:
    """Return the file format; ``named`` says that the target's name decides and ``asked`` may only agree."""
    if not named:
        return asked or "png"
    ending = target.suffix.lower().removeprefix(".")
    if ending not in _FORMATS:
        raise click.UsageError(f"OUTPUT must end in {' or '.join('.' + each for each in _FORMATS)}; got {target}")
    if asked not in (None, _FORMATS[ending]):
        raise click.UsageError(f"OUTPUT ends in .{ending}, but --format says {asked}; leave one of them out")
    return _FORMATS[ending]


def _cutter(mask: bool, keywords: dict[str, Any]) -> Cut:
    if mask:
        return lambda client, image: client.mask(image, **keywords)
    return lambda client, image: client.remove(image, **keywords)
