"""What can be asked for on a command line, and what it means to a client."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, get_args

import click

from alphacut_client import _route, spoken
from alphacut_client._route import Priority, Upload
from alphacut_client.option_groups import group
from alphacut_client.settings import RenderOn
from alphacut_core import backdrops, deadlines
from alphacut_core.errors import InvalidOptionError
from alphacut_core.options import Color, Decode, Format, Matting, Refine
from alphacut_core.refinements import OverBudget
from alphacut_core.tiers import MODES

_Command = TypeVar("_Command", bound=Callable[..., Any])

_result, _mask, _edge = group("Result"), group("Shape of the mask"), group("Edge")
_network, _server = group("Network"), group("Server")
_DEFAULTS = Refine()
_CUTOUT_ONLY = ("color", "background", "matting", "decontaminate")
_REFINE = ("band_px", "max_unknown_px", "max_seconds", "over_budget")
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)

_OPTIONS = (
    _result(
        "-o",
        "--output",
        "target",
        metavar="OUTPUT",
        required=True,
        type=click.Path(path_type=Path),
        help="A file, a folder, or - for standard output.",
    ),
    _result("--mask", is_flag=True, help="Write the mask alone."),
    _result("--format", type=click.Choice(get_args(Format)), help="File format; default: as OUTPUT ends, or png."),
    _result("--quality", type=click.IntRange(0, 100), help="Of webp (90), avif (75) and jpeg (92)."),
    _result("--lossless", is_flag=True, help="Keep every colour of a webp."),
    _result(
        "--png-level", type=click.IntRange(0, 9), help="1 is the fastest, 9 small and slow, 0 uncompressed; default: 1."
    ),
    _result(
        "--color",
        type=click.Choice(get_args(Color)),
        default="straight",
        show_default=True,
        help="Correct alpha, or rembg's premultiplied bytes.",
    ),
    _result(
        "--background",
        callback=spoken.reading(backdrops.parse),
        metavar="BACKDROP",
        help="A colour (name, #rrggbb, #rrggbbaa), blur[:PX], checkerboard[:PX] or gradient:FROM,TO[,DEGREES].",
    ),
    _result(
        "--background-image",
        type=_FILE,
        callback=spoken.reading(spoken.picture),
        metavar="FILE",
        help="A picture behind the cut-out.",
    ),
    _result(
        "--crop",
        callback=spoken.reading(spoken.crop),
        metavar="MARGIN",
        help="Cut down to the subject and a margin: 0, 20px or 5%.",
    ),
    _mask("--post-process", is_flag=True, help="Smooth the mask and make it binary, as rembg."),
    _mask("--threshold", type=click.IntRange(1, 255), metavar="LEVEL", help="Make it binary at this level, to 255."),
    _mask("--fill-holes", "fill_holes_px", type=int, default=0, metavar="PX", help="Fill holes of at most this area."),
    _mask("--min-area", "min_area_px", type=int, default=0, metavar="PX", help="Drop parts of less than this area."),
    _mask("--erode", "erode_px", type=int, default=0, metavar="PX", help="Shrink the subject."),
    _mask("--dilate", "dilate_px", type=int, default=0, metavar="PX", help="Grow the subject."),
    _edge("--refine", is_flag=True, help="Solve for the edge's alpha: closed-form matting of a band."),
    _edge(
        "--band",
        "band_px",
        type=int,
        default=_DEFAULTS.band_px,
        show_default=True,
        metavar="PX",
        help="Half its width.",
    ),
    _edge(
        "--trimap",
        type=_FILE,
        callback=spoken.reading(spoken.trimap),
        metavar="FILE",
        help="What is certain instead of the band: 0 background, 128 unknown, 255 subject.",
    ),
    _edge(
        "--refine-pixels",
        "max_unknown_px",
        type=int,
        default=_DEFAULTS.max_unknown_px,
        show_default=True,
        metavar="N",
        help="Most unknown pixels.",
    ),
    _edge(
        "--refine-seconds",
        "max_seconds",
        type=float,
        default=_DEFAULTS.max_seconds,
        show_default=True,
        metavar="S",
        help="Longest time.",
    ),
    _edge(
        "--over-budget",
        type=click.Choice(get_args(OverBudget)),
        default=_DEFAULTS.over_budget,
        show_default=True,
        help="Fail where pixels or time exceed it, or keep the mask's own edge.",
    ),
    _edge("--matting", is_flag=True, help="As rembg's alpha matting: the whole picture, seconds per megapixel."),
    _edge("--feather", "feather_px", type=float, default=0.0, metavar="PX", help="Soften the edge by a Gaussian."),
    _edge("--decontaminate", is_flag=True, help="Take the old background's colour out of the edge."),
    _network("--model", help="Name of the network; default: the server's default."),
    _network(
        "--mode", type=click.Choice(MODES), default="full", show_default=True, help="Tier: smaller ones are faster."
    ),
    _network(
        "--decode",
        type=click.Choice(get_args(Decode)),
        default="exact",
        show_default=True,
        help="How a picture is made small.",
    ),
    _network(
        "--min-confidence",
        type=float,
        default=0.0,
        metavar="0..1",
        help="Fail where the network is less sure that there is a subject.",
    ),
    _server("--url", envvar="ALPHACUT_URL", metavar="HOST:PORT", help="Triton's gRPC address, or $ALPHACUT_URL."),
    _server(
        "--render-on",
        type=click.Choice(get_args(RenderOn)),
        default="client",
        show_default=True,
        help="Who makes the file.",
    ),
    _server(
        "--upload",
        type=click.Choice(get_args(Upload)),
        default="encoded",
        show_default=True,
        help="What is sent: the file, or its pixels made small here.",
    ),
    _server(
        "--priority",
        type=click.Choice(get_args(Priority)),
        default="interactive",
        show_default=True,
        help="bulk waits until nothing else does.",
    ),
    _server("--jobs", type=click.IntRange(1), default=16, show_default=True, help="Images under way at once."),
    _server("--overwrite", is_flag=True, help="Do finished images of a folder again."),
    _server(
        "--timeout",
        "timeout_s",
        type=click.FloatRange(deadlines.MIN_TIMEOUT_S, deadlines.MAX_TIMEOUT_S),
        callback=spoken.reading(spoken.number),
        default=60.0,
        show_default=True,
        metavar="S",
        help="Deadline of one attempt.",
    ),
    _server(
        "--retry-for",
        "retry_for_s",
        type=click.FloatRange(0),
        callback=spoken.reading(spoken.number),
        default=60.0,
        show_default=True,
        metavar="S",
        help="How long to wait for a lost server.",
    ),
)


def declared(command: _Command) -> _Command:
    """Give a command all of these options, as a decorator."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def keywords(given: dict[str, Any]) -> dict[str, Any]:
    """Return the keywords of ``Client.remove``, or of ``Client.mask``, for what was given.

    Args:
        given: Values of the options by the names of their parameters.

    Raises:
        click.UsageError: They do not fit together, or a value is not allowed.
    """
    wished = dict(given)
    mask, picture = wished.pop("mask"), wished.pop("background_image")
    if picture is not None and wished["background"] is not None:
        raise click.UsageError("got --background and --background-image; leave one of them out")
    wished["background"] = wished["background"] if picture is None else picture
    budget = {name: wished.pop(name) for name in _REFINE}
    if mask:
        if wished["color"] != "straight" or any(wished[name] for name in _CUTOUT_ONLY[1:]):
            raise click.UsageError("--mask leaves nothing to --color, --background, --matting and --decontaminate")
        wished = {name: value for name, value in wished.items() if name not in _CUTOUT_ONLY}
    elif wished["matting"]:
        wished["matting"] = Matting()
    else:
        wished["matting"] = None
    if wished["model"] is None:
        del wished["model"]
    try:
        wished["refine"] = Refine(**budget) if wished["refine"] else None
        _route.split(_route.Route(), wished, output="mask" if mask else "cutout")
    except InvalidOptionError as error:
        raise click.UsageError(str(error)) from error
    return wished
