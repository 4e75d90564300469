"""Options as they are typed on a command line: numbers, margins, pictures."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from PIL import Image

from alphacut_client import _files
from alphacut_core import codec
from alphacut_core.errors import InputError
from alphacut_core.options import Crop

_MARGIN = re.compile(r"(\d+(?:\.\d+)?)(px|%)?")


def number(value: float) -> float:
    """Refuse what compares with no bound.

    Raises:
        ValueError: It is NaN.
    """
    if math.isnan(value):
        raise ValueError(f"got {value}; give a number")
    return value


def crop(text: str) -> Crop:
    """Read a margin: ``0``, ``20px`` or ``5%``.

    Raises:
        InvalidOptionError: It is out of range.
        ValueError: It is no margin.
    """
    found = _MARGIN.fullmatch(text)
    if found is None or (found[2] is None and float(found[1]) != 0):
        raise ValueError("give 0, or a margin such as 20px or 5%")
    return Crop(margin_percent=float(found[1])) if found[2] == "%" else Crop(margin_px=round(float(found[1])))


def picture(path: Path) -> Image.Image:
    """Read a picture that is an option: a background.

    Raises:
        InputError: It cannot be read or is no picture.
    """
    return codec.decode(_files.at_path(path))


def trimap(path: Path) -> Image.Image:
    """Read a trimap: any picture, as grey.

    Raises:
        InputError: It cannot be read or is no picture.
    """
    return picture(path).convert("L")


def reading(read: Callable[[Any], Any]) -> Callable[[click.Context, click.Parameter, Any], Any]:
    """Make a callback for click of a function above; what it refuses is told with the usage."""

    def callback(_context: click.Context, _parameter: click.Parameter, value: Any) -> Any:
        try:
            return None if value is None else read(value)
        except (InputError, OSError, ValueError) as error:
            raise click.BadParameter(str(error)) from error

    return callback
