"""What a caller may ask for, as one value object that client, server and gateway share."""

from __future__ import annotations

import dataclasses
import inspect
import json
from dataclasses import dataclass
from reprlib import repr as brief  # a gRPC status has room for a few kilobytes
from typing import Any, Literal, TypeVar, get_args

from alphacut_core.errors import InvalidOptionError

Decode = Literal["exact", "fast"]
Output = Literal["cutout", "mask"]
Color = Literal["straight", "rembg"]
Format = Literal["png", "webp"]
Rgba = tuple[int, int, int, int]

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Matting:
    """Closed-form alpha matting around the mask's edge, with rembg's parameters.

    Attributes:
        foreground_threshold: Mask values above it are certainly subject (0..255).
        background_threshold: Mask values below it are certainly background (0..255).
        erode_size: Side of the square, in pixels, by which both certain areas shrink.
    """

    foreground_threshold: int = 240
    background_threshold: int = 10
    erode_size: int = 10

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            _check_integer(f"matting.{field.name}", getattr(self, field.name), 0, 255)


@dataclass(frozen=True, slots=True)
class Options:
    """One request's wishes.

    Attributes:
        output: ``cutout`` is the picture with its background made transparent, ``mask`` the mask alone.
        color: ``straight`` keeps the picture's colours and puts the mask into alpha. ``rembg`` reproduces
            rembg 2.0.86 byte for byte: colours multiplied by the mask.
        decode: ``exact`` resizes from every pixel. ``fast`` lets the JPEG decoder scale down first; masks
            then differ by less than 1/255 in the mean.
        format: File format of an encoded result.
        background: Red, green, blue, alpha (0..255) to put behind the cut-out.
        post_process: Smooth the mask and make it binary, as rembg's ``post_process_mask``.
        matting: Refine the edge by alpha matting; needs the ``refine`` extra.
        decontaminate: Take the old background's colour out of half-transparent pixels; needs ``refine``.
    """

    output: Output = "cutout"
    color: Color = "straight"
    decode: Decode = "exact"
    format: Format = "png"
    background: Rgba | None = None
    post_process: bool = False
    matting: Matting | None = None
    decontaminate: bool = False

    def __post_init__(self) -> None:
        for name, allowed in (("output", Output), ("color", Color), ("decode", Decode), ("format", Format)):
            got = getattr(self, name)
            if got not in get_args(allowed):
                raise InvalidOptionError(
                    f"got {name}={brief(got)}; allowed are {', '.join(map(repr, get_args(allowed)))}"
                )
        for name in ("post_process", "decontaminate"):
            if not isinstance(getattr(self, name), bool):
                raise InvalidOptionError(f"got {name}={brief(getattr(self, name))}; allowed are True and False")
        if self.matting is not None and not isinstance(self.matting, Matting):
            raise InvalidOptionError(f"got matting={brief(self.matting)}; give a Matting(...) or None")
        self._check_background()

    def _check_background(self) -> None:
        if self.background is None:
            return
        if not isinstance(self.background, tuple) or len(self.background) != 4:
            raise InvalidOptionError(
                f"got background={brief(self.background)}; give (red, green, blue, alpha), each 0 to 255"
            )
        for channel in self.background:
            _check_integer("background", channel, 0, 255)

    def to_wire(self) -> bytes:
        """Return the options as JSON in UTF-8; defaults are left out."""
        wire: dict[str, Any] = {}
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if value != field.default:
                wire[field.name] = dataclasses.asdict(value) if isinstance(value, Matting) else value
        return json.dumps(wire, separators=(",", ":")).encode()

    @classmethod
    def from_wire(cls, data: bytes) -> Options:
        """Parse what ``to_wire`` wrote; nothing at all means all defaults.

        Raises:
            InvalidOptionError: Not JSON, an unknown name, or a value that is not allowed.
        """
        try:
            wire = json.loads(data) if data.strip() else {}
        except (ValueError, RecursionError) as error:
            raise InvalidOptionError(f"got options that are not JSON in UTF-8 ({error}); send an object") from error
        if not isinstance(wire, dict):
            raise InvalidOptionError(f"got options of type {type(wire).__name__}; send a JSON object")
        if isinstance(wire.get("background"), list):
            wire["background"] = tuple(wire["background"])
        if isinstance(wire.get("matting"), dict):
            wire["matting"] = _known(Matting, wire["matting"])
        return _known(cls, wire)


def _known(kind: type[_Value], values: dict[str, Any]) -> _Value:
    allowed = list(inspect.signature(kind).parameters)
    unknown = sorted(set(values) - set(allowed))
    if unknown:
        raise InvalidOptionError(f"got unknown option {brief(unknown[0])}; allowed are {', '.join(allowed)}")
    return kind(**values)


def _check_integer(name: str, got: object, low: int, high: int) -> None:
    if isinstance(got, bool) or not isinstance(got, int) or not low <= got <= high:
        raise InvalidOptionError(f"got {name}={brief(got)}; allowed are whole numbers from {low} to {high}")
