"""The photographs that every contender gets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image, ImageOps

from alphacut_core import codec
from alphacut_core.errors import InputError

_SUFFIXES = frozenset({".jpg", ".jpeg", ".png"})
_JPEG_QUALITY = 90
_GRAIN = 3.0


@dataclass(frozen=True, slots=True)
class Picture:
    """One image file; ``width`` and ``height`` in pixels, as shown."""

    path: Path
    width: int
    height: int

    @property
    def name(self) -> str:
        """The file's name."""
        return self.path.name


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture to be made of the sample photograph ``subject``."""

    subject: str
    width: int
    height: int
    format: Literal["jpg", "png"] = "jpg"


QUICK = (Shot("dahlia", 640, 427), Shot("cat", 640, 427, "png"), Shot("dahlia", 1920, 1280))
FULL = (
    Shot("dahlia", 640, 427),
    Shot("cat", 640, 427, "png"),
    Shot("dahlia", 960, 640),
    Shot("rocket", 960, 640),
    Shot("dahlia", 1920, 1280),
    Shot("rocket", 1920, 1280),
    Shot("astronaut", 1920, 1280, "png"),
    Shot("pagoda", 4000, 3000),
)
"""Two subjects come in a size and in four times as many pixels, so that the price of size can be read off."""


def make(samples: Path, folder: Path, shots: Sequence[Shot]) -> list[Picture]:
    """Write ``shots`` into ``folder``: sample photographs, enlarged, with the grain that enlarging removes.

    Without grain large files would be far smaller, and quicker to decode and encode, than a camera's.

    Args:
        samples: Folder with ``<subject>.jpg`` of every shot.
        folder: An existing folder.
        shots: What to make; the same every time.

    Raises:
        InputError: A sample is missing.
    """
    noise = np.random.default_rng(0)
    for shot in shots:
        picture = photograph(samples, shot.subject, shot.width, shot.height, noise)
        picture.save(folder / f"{shot.subject}-{shot.width}x{shot.height}.{shot.format}", quality=_JPEG_QUALITY)
    return load(folder)


def photograph(samples: Path, subject: str, width: int, height: int, noise: np.random.Generator) -> Image.Image:
    """Return a sample photograph at another size, with grain.

    Args:
        samples: Folder with ``<subject>.jpg``.
        subject: Which sample.
        width: In pixels.
        height: In pixels.
        noise: Where the grain comes from.

    Returns:
        RGB.

    Raises:
        InputError: The sample is missing.
    """
    sample = samples / f"{subject}.jpg"
    if not sample.is_file():
        raise InputError(f"found no {sample}, of which pictures are made; name photographs with --images")
    smooth = ImageOps.fit(codec.decode(sample.read_bytes()).convert("RGB"), (width, height))
    grain = noise.normal(0, _GRAIN, (height, width, 1))
    return Image.fromarray((np.asarray(smooth) + grain).round().clip(0, 255).astype(np.uint8))


def load(folder: Path) -> list[Picture]:
    """Return the JPEG and PNG files of a folder, smallest picture first.

    Raises:
        InputError: There is none, or one is not acceptable.
    """
    paths = [path for path in sorted(folder.iterdir()) if path.suffix.lower() in _SUFFIXES] if folder.is_dir() else []
    if not paths:
        raise InputError(f"found no JPEG or PNG file in {folder}; name a folder of photographs with --images")
    headers = [read_header(path, path.read_bytes()) for path in paths]
    pictures = [Picture(path, header.width, header.height) for path, header in zip(paths, headers, strict=True)]
    return sorted(pictures, key=lambda picture: picture.width * picture.height)


def read_header(path: Path, data: bytes) -> codec.Header:
    """Read the header of one file of a folder.

    Raises:
        InputError: It is not acceptable; with the name of the file, which among thousands is what helps.
    """
    try:
        return codec.read_header(data)
    except InputError as error:
        raise type(error)(f"{path}: {error}; or take it out of the folder") from error
