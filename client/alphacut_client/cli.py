"""``alphacut remove``: a file, a folder, or a pipe."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, get_args

import click
from PIL import ImageColor
from rich.console import Console

from alphacut_client import atomic, folder
from alphacut_client.client import Client
from alphacut_client.commands import CommandError
from alphacut_client.embedded import connected
from alphacut_client.settings import RenderOn
from alphacut_client.sweep import sweep
from alphacut_core.errors import InputError
from alphacut_core.options import Color, Decode, Format, Matting, Rgba

Cut = Callable[[Client, bytes | Path], bytes]
Connect = Callable[[], AbstractContextManager[Client]]

_PIPE = Path("-")


def _rgba(_context: click.Context, _parameter: click.Parameter, value: str | None) -> Rgba | None:
    if value is None:
        return None
    try:
        red, green, blue, alpha = ImageColor.getcolor(value, "RGBA")  # type: ignore[misc]
    except ValueError as error:
        raise click.BadParameter(f"{value!r} is no colour; give a name, #rrggbb or #rrggbbaa") from error
    return red, green, blue, alpha


@click.command()
@click.argument("source", metavar="INPUT", type=click.Path(exists=True, allow_dash=True, path_type=Path))
@click.option("-o", "--output", "target", metavar="OUTPUT", required=True, type=click.Path(path_type=Path))
@click.option("--url", envvar="ALPHACUT_URL", metavar="HOST:PORT", help="Triton's gRPC address, or $ALPHACUT_URL.")
@click.option("--mask", is_flag=True, help="Write the mask alone.")
@click.option("--format", type=click.Choice(get_args(Format)), help="File format; default: as OUTPUT ends, or png.")
@click.option(
    "--background", callback=_rgba, metavar="COLOR", help="Color behind the cut-out: a name, #rrggbb or #rrggbbaa."
)
@click.option("--color", type=click.Choice(get_args(Color)), default="straight", show_default=True)
@click.option("--decode", type=click.Choice(get_args(Decode)), default="exact", show_default=True)
@click.option("--post-process", is_flag=True, help="Smooth the mask and make it binary.")
@click.option("--matting", is_flag=True, help="Refine the edge by alpha matting: seconds per megapixel.")
@click.option("--decontaminate", is_flag=True, help="Take the old background's colour out of the edge.")
@click.option("--render-on", type=click.Choice(get_args(RenderOn)), default="client", show_default=True)
@click.option("--jobs", type=click.IntRange(1), default=16, show_default=True, help="Images under way at once.")
@click.option("--overwrite", is_flag=True, help="Do finished images of a folder again.")
@click.option("--timeout", "timeout_s", type=click.FloatRange(0.05), default=60.0, show_default=True, metavar="S")
@click.option("--retry-for", "retry_for_s", type=click.FloatRange(0), default=60.0, show_default=True, metavar="S")
def remove(
    *,
    source: Path,
    target: Path,
    url: str | None,
    mask: bool,
    jobs: int,
    overwrite: bool,
    timeout_s: float,
    retry_for_s: float,
    render_on: RenderOn,
    **wishes: Any,
) -> None:
    """Cut out the subject of INPUT: a photograph, a folder of them, or - for standard input.

    A folder keeps its structure, and what is finished already is skipped. Without --url an embedded server is
    started for the call. S is in seconds: the deadline of one attempt, and how long to wait for a lost server.
    """
    whole_folder = source != _PIPE and source.is_dir()
    wishes["format"] = _format(target, wishes["format"], named=not (whole_folder or target == _PIPE or target.is_dir()))
    cut = _cutter(mask, wishes)
    suffix = f".{wishes['format']}"
    connect = functools.partial(
        connected, url, timeout_s=timeout_s, retry_for_s=retry_for_s, window=jobs, render_on=render_on
    )
    if whole_folder:
        _remove_folder(source, target, connect, cut, suffix=suffix, jobs=jobs, overwrite=overwrite)
    else:
        _remove_file(source, target / f"{source.stem}{suffix}" if target.is_dir() else target, connect, cut)


def _remove_file(source: Path, target: Path, connect: Connect, cut: Cut) -> None:
    if _PIPE not in (source, target) and target.exists() and target.samefile(source):
        raise InputError(f"the result would overwrite {source}; name another file")
    image = sys.stdin.buffer.read() if source == _PIPE else source
    with connect() as client:
        result = cut(client, image)
    if target == _PIPE:
        sys.stdout.buffer.write(result)
        return
    try:
        atomic.write(target, result)
    except OSError as error:
        raise CommandError(f"cannot write {target} ({error.strerror})") from error


def _remove_folder(
    source: Path, target: Path, connect: Connect, cut: Cut, *, suffix: str, jobs: int, overwrite: bool
) -> None:
    if target == _PIPE or (target.exists() and not target.is_dir()):
        raise click.UsageError(f"INPUT is a folder, so OUTPUT must be one; got {target}")
    planned = folder.plan(source, target, suffix)
    todo = [job for job in planned if overwrite or not job.finished]
    console = Console(stderr=True)
    failed: list[Path] = []
    left = 0
    if todo:
        with connect() as client:
            result = sweep(todo, functools.partial(cut, client), jobs, client.close, console)
        failed, left = result.failed, result.left
    done = len(todo) - len(failed) - left
    click.echo(f"{done} cut out, {len(planned) - len(todo)} were finished before, {len(failed)} failed", err=True)
    for path in failed:
        click.echo(f"  {path}", err=True)
    if left:
        click.echo(f"{left} were left, since the server stayed away; the same command goes on with them", err=True)
    if failed:
        sys.exit(1)


def _format(target: Path, asked: str | None, named: bool) -> str:
    """Return the file format; ``named`` says that the target's name decides and ``asked`` may only agree."""
    if not named:
        return asked or "png"
    ending = target.suffix.lower().removeprefix(".")
    if ending not in get_args(Format):
        raise click.UsageError(f"OUTPUT must end in .png or .webp; got {target}")
    if asked not in (None, ending):
        raise click.UsageError(f"OUTPUT ends in .{ending}, but --format says {asked}; leave one of them out")
    return ending


def _cutter(mask: bool, wishes: dict[str, Any]) -> Cut:
    if not mask:
        options = wishes | {"matting": Matting() if wishes["matting"] else None}
        return lambda client, image: client.remove(image, **options)
    if wishes["color"] != "straight" or any(wishes[name] for name in ("background", "matting", "decontaminate")):
        raise click.UsageError("--mask leaves nothing to --color, --background, --matting and --decontaminate")
    kept = {name: wishes[name] for name in ("format", "decode", "post_process")}
    return lambda client, image: client.mask(image, **kept)
