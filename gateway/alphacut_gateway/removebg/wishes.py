"""Everything a request to ``/v1.0/removebg`` may ask for, read and checked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from alphacut_core import colors
from alphacut_core.errors import InvalidOptionError
from alphacut_core.options import Rgba
from alphacut_gateway.removebg import margin, placement, region, resolution
from alphacut_gateway.removebg.margin import Margin
from alphacut_gateway.removebg.placement import Placement
from alphacut_gateway.removebg.refusal import RemoveBgError
from alphacut_gateway.removebg.region import Region

FORMATS = ("auto", "png", "jpg", "zip", "webp")
CHANNELS = ("rgba", "alpha")
TYPES = ("auto", "person", "product", "car", "animal", "graphic", "transportation", "other")
TYPE_LEVELS = ("none", "1", "2", "latest")

_NOT_AVAILABLE = ("shadow_method", "shadow_opacity", "shadow_type")
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
_ADDRESS = re.compile(r"https?://[^\s/]+\S*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What to make of the image; ``ignored`` names what was asked for and is not available here."""

    size: str
    type_level: str
    format: str
    channels: str
    region: Region
    crop: bool
    margin: Margin
    placement: Placement
    background: Rgba | None
    background_address: str
    has_background_image: bool
    ignored: tuple[str, ...]

    @property
    def file_format(self) -> str:
        """The answer's format: ``auto`` is PNG if it is transparent and JPEG otherwise."""
        if self.format != "auto":
            return self.format
        opaque = self.has_background_image or (self.background is not None and self.background[3] == 255)
        return "jpg" if opaque and self.channels == "rgba" else "png"


def parse(fields: Mapping[str, str], has_background_image: bool) -> Wishes:
    """Read the parameters; an empty one counts as left out.

    Args:
        fields: Name to text.
        has_background_image: Whether ``bg_image_file`` came with the request.

    Raises:
        RemoveBgError: One of them is not as the contract says.
    """
    given = {name: text.strip() for name, text in fields.items() if text.strip()}
    _choice(given, "type", TYPES)
    ignored = [name for name in _NOT_AVAILABLE if name in given]
    if _boolean(given, "add_shadow", default=False):
        ignored.append("add_shadow")
    if not _boolean(given, "semitransparency", default=True):
        ignored.append("semitransparency")
    return Wishes(
        size=resolution.check(given.get("size", "preview")),
        type_level=_choice(given, "type_level", TYPE_LEVELS, default="1"),
        format=_choice(given, "format", FORMATS),
        channels=_choice(given, "channels", CHANNELS),
        region=region.parse(given.get("roi")),
        crop=_boolean(given, "crop", default=False),
        margin=margin.parse(given.get("crop_margin")),
        placement=placement.parse(given.get("scale"), given.get("position")),
        background=_background(given, has_background_image),
        background_address=given.get("bg_image_url", ""),
        has_background_image=has_background_image or "bg_image_url" in given,
        ignored=tuple(ignored),
    )


def check_address(text: str, invalid: str, failed: str) -> RemoveBgError:
    """Return the refusal of an address: a malformed one is told from one that is not fetched."""
    if not _ADDRESS.fullmatch(text):
        return RemoveBgError(invalid, f"got {text[:40]!r}, which is no http or https address")
    return RemoveBgError(failed, "fetching from addresses is switched off on this server; send the file itself")


def _background(given: Mapping[str, str], has_image: bool) -> Rgba | None:
    if sum((has_image, "bg_color" in given, "bg_image_url" in given)) > 1:
        raise RemoveBgError("multiple_bg_sources", "give one of bg_color, bg_image_url and bg_image_file")
    if "bg_color" not in given:
        return None
    try:
        return colors.parse(given["bg_color"])
    except InvalidOptionError as error:
        raise RemoveBgError("invalid_bg_color", str(error)) from error


def _choice(given: Mapping[str, str], name: str, allowed: tuple[str, ...], default: str | None = None) -> str:
    value = given.get(name, default or allowed[0])
    if value not in allowed:
        raise RemoveBgError(f"invalid_{name}", f"got {name}={value[:40]!r}; allowed are {', '.join(allowed)}")
    return value


def _boolean(given: Mapping[str, str], name: str, *, default: bool) -> bool:
    text = given.get(name)
    if text is None:
        return default
    if text.lower() not in _BOOLEANS:
        raise RemoveBgError(f"invalid_{name}", f"got {name}={text[:40]!r}; allowed are true and false")
    return _BOOLEANS[text.lower()]
