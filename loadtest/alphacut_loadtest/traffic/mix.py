"""What kinds of requests a lane sends, and in which shares."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from alphacut_core.errors import InvalidOptionError
from alphacut_core.options import Decode, Format
from alphacut_core.tiers import MODES, Mode

PictureFormat = Literal["jpg", "png", "webp"]
Answer = Literal["mask", "cutout"]
"""``mask`` is the network's square mask, as the client asks for by default; ``cutout`` a file the server renders."""

RENDERED_FORMAT: Format = "webp"
"""The file format of cut-outs."""

Upload = Literal["encoded", "pixels"]
"""``encoded`` is a file, which the server decodes; ``pixels`` the network's square, as a gateway sends it."""

FORMATS: tuple[PictureFormat, ...] = get_args(PictureFormat)
ANSWERS: tuple[Answer, ...] = get_args(Answer)
DECODES: tuple[Decode, ...] = get_args(Decode)
UPLOADS: tuple[Upload, ...] = get_args(Upload)


@dataclass(frozen=True, slots=True)
class Size:
    """A picture's size in pixels."""

    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"

    @classmethod
    def parse(cls, text: str) -> Size:
        """Read ``640x427``.

        Raises:
            InvalidOptionError: It is not of that form.
        """
        width, _, height = text.partition("x")
        if not (width.isdecimal() and height.isdecimal() and int(width) and int(height)):
            raise InvalidOptionError(f"got the size {text!r}; give width and height in pixels, as in 640x427")
        return cls(int(width), int(height))


@dataclass(frozen=True, slots=True)
class Mix:
    """Shares need not add up to 1; only their proportion counts.

    Attributes:
        sizes: Pictures that are made, by size.
        formats: Their file formats.
        modes: Tiers of the network.
        answers: What is asked for.
        decodes: How files are made small for the network: from every pixel, or fast.
        uploads: What is sent. Squares of pixels are made once, before they are sent again and again.
        corrupt: Share of files, 0 to 1, that are cut off in the middle; the server has to refuse them.
        repeats: Share of requests, 0 to 1, that send a file again, byte for byte, which a cache may know.
    """

    sizes: Mapping[Size, float] = field(default_factory=lambda: {Size(640, 427): 1.0})
    formats: Mapping[PictureFormat, float] = field(default_factory=lambda: {"jpg": 1.0})
    modes: Mapping[Mode, float] = field(default_factory=lambda: {"full": 1.0})
    answers: Mapping[Answer, float] = field(default_factory=lambda: {"mask": 1.0})
    decodes: Mapping[Decode, float] = field(default_factory=lambda: {"exact": 1.0})
    uploads: Mapping[Upload, float] = field(default_factory=lambda: {"encoded": 1.0})
    corrupt: float = 0.0
    repeats: float = 0.0

    def __post_init__(self) -> None:
        _check_names("formats", self.formats, FORMATS)
        _check_names("modes", self.modes, MODES)
        _check_names("answers", self.answers, ANSWERS)
        _check_names("decodes", self.decodes, DECODES)
        _check_names("uploads", self.uploads, UPLOADS)
        for name, shares in (("sizes", self.sizes), ("formats", self.formats)):
            _check_shares(name, shares)
        for name, share in (("corrupt", self.corrupt), ("repeats", self.repeats)):
            if not 0 <= share <= 1:
                raise InvalidOptionError(f"got {name}={share} in a mix; give a share from 0 to 1")
        if self.sends_pixels and (self.answers.get("cutout") or self.corrupt):
            raise InvalidOptionError(
                "got uploads of pixels in a mix with cut-outs or broken files; pixels go to the engine, which makes "
                "masks of whole pictures: leave those to a lane of their own"
            )

    @property
    def sends_pixels(self) -> bool:
        """Whether some requests are squares of pixels."""
        return bool(self.uploads.get("pixels"))


def _check_names(name: str, shares: Mapping[Any, float], allowed: tuple[str, ...]) -> None:
    unknown = [key for key in shares if key not in allowed]
    if unknown:
        raise InvalidOptionError(f"got {unknown[0]!r} among the {name} of a mix; allowed are {', '.join(allowed)}")
    _check_shares(name, shares)


def _check_shares(name: str, shares: Mapping[Any, float]) -> None:
    if not all(0 <= share < math.inf for share in shares.values()) or not sum(shares.values()):
        raise InvalidOptionError(
            f"got {name} in a mix without a share above 0, or with one that is below 0 or not finite; give at least "
            "one above 0"
        )
