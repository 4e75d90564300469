"""What a caller may ask for, as one value object that client, server and gateway share."""

from __future__ import annotations

import dataclasses
import inspect
import json
from collections.abc import Callable
from dataclasses import dataclass
from reprlib import repr as brief  # a gRPC status has room for a few kilobytes
from typing import Any, Literal, TypeVar, get_args

import numpy as np
from PIL import Image

from alphacut_core import background as backgrounds
from alphacut_core import checks, colors, opened
from alphacut_core.background import Background, Blur, Checkerboard, Gradient
from alphacut_core.colors import Rgba
from alphacut_core.crop import Crop
from alphacut_core.errors import InvalidOptionError
from alphacut_core.geometry import Pixels
from alphacut_core.refinements import Matting, Refine

Decode = Literal["exact", "fast"]
Output = Literal["cutout", "mask"]
Color = Literal["straight", "rembg"]
Format = Literal["png", "webp", "avif", "jpeg"]

__all__ = ["Background", "Color", "Crop", "Decode", "Format", "Matting", "Options", "Output", "Refine", "Rgba"]

_Value = TypeVar("_Value")

_WORDS = (("output", Output), ("color", Color), ("decode", Decode), ("format", Format))
_SWITCHES = ("post_process", "decontaminate", "lossless")
_WHOLE_NUMBERS = {
    "fill_holes_px": 10**9,
    "min_area_px": 10**9,
    "erode_px": 1_000,
    "dilate_px": 1_000,
}
_NUMBERS = {"feather_px": 1_000, "min_confidence": 1}
_PARTS: dict[str, type[Any]] = {"matting": Matting, "refine": Refine, "crop": Crop}
_PATTERNS: dict[str, type[Any]] = {"blur": Blur, "gradient": Gradient, "checkerboard": Checkerboard}
_TRIMAP_VALUES = frozenset({0, 128, 255})


@dataclass(frozen=True, slots=True)
class Options:
    """One request's wishes; their order here is not the order of the work, which ``render`` states.

    Attributes:
        output: ``cutout`` is the picture with its background made transparent, ``mask`` the mask alone.
        color: ``straight`` keeps the picture's colours and puts the mask into alpha. ``rembg`` reproduces
            rembg 2.0.86 byte for byte: colours multiplied by the mask.
        decode: ``exact`` resizes from every pixel. ``fast`` lets the JPEG decoder scale down first and
            resizes by SIMD; masks then differ by less than 1/255 in the mean. It concerns image files: what comes
            as pixels is resized exactly.
        format: File format of an encoded result. ``jpeg`` knows no transparency: a cut-out needs an opaque
            ``background``.
        quality: 0 (small) to 100 of ``webp``, ``avif`` and ``jpeg``; None is 90, 75 and 92.
        lossless: Keep every colour of a ``webp``.
        png_level: Effort for a ``png``: 1 is the fast encoder; 0 (large) and 2 to 9 are zlib's levels, several
            times slower for up to a tenth. None is 1, or rembg's 6 with ``color="rembg"``. All are lossless.
        background: What to put behind the cut-out: (red, green, blue, alpha), each 0 to 255, a colour's name or
            hexadecimal digits, ``Blur``, ``Gradient``, ``Checkerboard``, or a PIL image.
        post_process: Smooth the mask and make it binary, as rembg's ``post_process_mask``; needs the ``refine``
            extra.
        threshold: Make the mask binary: subject is what is at least this, 1 to 255.
        fill_holes_px: Largest hole that is filled, in pixels of area; 0 fills none. Needs ``refine``.
        min_area_px: Least part that is kept, in pixels of area; 0 keeps all. Needs ``refine``.
        erode_px: Shrink the subject by so many pixels, 0 to 1,000.
        dilate_px: Grow it by so many, after that, 0 to 1,000.
        feather_px: Soften the edge by a Gaussian of this standard deviation in pixels, 0 to 1,000.
        refine: Solve for the alpha of the edge, within a budget; needs the ``refine`` extra.
        trimap: What is certain, for ``refine``: PIL image of mode L or uint8 (H, W) at the size of the upright
            picture, 0 background, 128 unknown, 255 subject.
        matting: As rembg's alpha matting: the whole picture, colours too; needs the ``refine`` extra.
        decontaminate: Take the old background's colour out of half-transparent pixels; needs ``refine``.
        crop: Cut the result down to its subject.
        min_confidence: Least confidence, 0 to 1, that is no ``NoSubjectError``; 0 accepts everything. Checked
            where the engine's answer arrives: by the client and the gateway.

    Raises:
        InvalidOptionError: A value that is not allowed, or wishes that exclude each other.
    """

    output: Output = "cutout"
    color: Color = "straight"
    decode: Decode = "exact"
    format: Format = "png"
    background: Background | str | None = None
    post_process: bool = False
    matting: Matting | None = None
    decontaminate: bool = False
    quality: int | None = None
    lossless: bool = False
    png_level: int | None = None
    threshold: int | None = None
    fill_holes_px: int = 0
    min_area_px: int = 0
    erode_px: int = 0
    dilate_px: int = 0
    feather_px: float = 0
    refine: Refine | None = None
    trimap: Image.Image | Pixels | None = None
    crop: Crop | None = None
    min_confidence: float = 0

    def __post_init__(self) -> None:
        for name, allowed in _WORDS:
            checks.choice(name, getattr(self, name), get_args(allowed))
        checked: dict[str, Any] = {name: checks.boolean(name, getattr(self, name)) for name in _SWITCHES}
        for name, highest in _WHOLE_NUMBERS.items():
            checked[name] = checks.integer(name, getattr(self, name), 0, highest)
        for name, low, high in (("threshold", 1, 255), ("quality", 0, 100), ("png_level", 0, 9)):
            if getattr(self, name) is not None:
                checked[name] = checks.integer(name, getattr(self, name), low, high)
        for name, high in _NUMBERS.items():
            checked[name] = checks.number(name, getattr(self, name), 0, high)
        for name, kind in _PARTS.items():
            got = getattr(self, name)
            if got is not None and not isinstance(got, kind):
                raise InvalidOptionError(f"got {name}={brief(got)}; give a {kind.__name__}(...) or None")
        checked |= {"background": _checked_background(self.background), "trimap": _checked_trimap(self.trimap)}
        checks.keep(self, **checked)
        self._check_together()

    def _check_together(self) -> None:
        if self.trimap is not None and self.refine is None:
            raise InvalidOptionError("got a trimap without refine; give refine=Refine() with it")
        if self.refine is not None and self.matting is not None:
            raise InvalidOptionError("got refine and matting; both find the edge's alpha, so leave one of them out")
        if self.quality is not None and (self.format == "png" or self.lossless):
            raise InvalidOptionError("got quality for a lossless file; leave it out, or ask for webp, avif or jpeg")
        if self.lossless and self.format != "webp":
            raise InvalidOptionError(f"got lossless with format={self.format!r}; ask for webp, or for png")
        if self.png_level is not None and self.format != "png":
            raise InvalidOptionError(f"got png_level with format={self.format!r}; leave it out, or ask for png")
        shows_through = self.behind is None or not backgrounds.is_opaque(self.behind)
        if self.format == "jpeg" and self.output == "cutout" and shows_through:
            raise InvalidOptionError(
                "got format='jpeg', which knows no transparency, without an opaque background; give one, such as "
                "background='white', or ask for png, webp or avif"
            )

    @property
    def behind(self) -> Background | None:
        """The background; a colour that was given as text has become numbers."""
        return colors.parse(self.background) if isinstance(self.background, str) else self.background

    @property
    def needs_pixels(self) -> bool:
        """Whether the result needs more of the picture than its size."""
        return self.output == "cutout" or self.refine is not None

    def to_wire(self) -> bytes:
        """Return the options as JSON in UTF-8; defaults are left out.

        Raises:
            InvalidOptionError: A picture among them, which does not travel.
        """
        wire: dict[str, Any] = {}
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if isinstance(value, Image.Image):
                raise InvalidOptionError(
                    f"got a picture as {field.name}, which cannot be sent to the server; render on the client "
                    "(render_on='client'), where pictures and trimaps are used"
                )
            if value != field.default:
                wire[field.name] = _plain(value)
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
        wire["background"] = _pattern(_with_tuples(wire.get("background")))
        for name, kind in _PARTS.items():
            if isinstance(wire.get(name), dict):
                wire[name] = _known(kind, wire[name])
        return _known(cls, wire)


def _checked_background(got: Any) -> Background | None:
    if isinstance(got, str):
        return colors.parse(got)
    if got is not None and not isinstance(got, (Blur, Gradient, Checkerboard, Image.Image)):
        return checks.rgba("background", got)
    background: Background | None = got
    return background


def _checked_trimap(got: Any) -> Image.Image | None:
    if got is None:
        return None
    if isinstance(got, np.ndarray) and got.dtype == np.uint8 and got.ndim == 2 and got.size:
        got = Image.fromarray(got)
    if not isinstance(got, Image.Image) or got.mode != "L":
        raise InvalidOptionError(f"got trimap={brief(got)}; give a PIL image of mode L or a uint8 array (H, W)")
    opened.load(got, "a trimap's pixels")
    others = [value for value, count in enumerate(got.histogram()) if count and value not in _TRIMAP_VALUES]
    if others:
        raise InvalidOptionError(f"got {others[0]} in a trimap; allowed are 0 background, 128 unknown and 255 subject")
    trimap: Image.Image = got
    return trimap


def _plain(value: Any) -> Any:
    """Return an option's value as JSON knows it; a pattern carries its name along."""
    if not dataclasses.is_dataclass(value) or isinstance(value, type):
        return value
    kind = {pattern: name for name, pattern in _PATTERNS.items()}.get(type(value))
    return dataclasses.asdict(value) if kind is None else {"kind": kind, **dataclasses.asdict(value)}


def _with_tuples(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: tuple(inner) if isinstance(inner, list) else inner for name, inner in value.items()}
    return tuple(value) if isinstance(value, list) else value


def _pattern(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    kind = value.pop("kind", None)
    checks.choice("background.kind", kind, tuple(_PATTERNS))
    return _known(_PATTERNS[kind], value)


def _known(kind: Callable[..., _Value], values: dict[str, Any]) -> _Value:
    parameters = inspect.signature(kind).parameters
    unknown = sorted(set(values) - set(parameters))
    if unknown:
        raise InvalidOptionError(f"got unknown option {brief(unknown[0])}; allowed are {', '.join(parameters)}")
    missing = [name for name, each in parameters.items() if each.default is each.empty and name not in values]
    if missing:
        raise InvalidOptionError(f"got no {missing[0]}; give {', '.join(missing)}")
    return kind(**values)
