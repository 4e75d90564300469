"""Decoded pictures and masks on the disk, made once, so that no epoch decodes again."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from alphacut_core import atomic, geometry
from alphacut_core.errors import EngineBuildError, InputError
from alphacut_core.folder_lock import alone
from alphacut_core.geometry import Pixels
from alphacut_training import pairs
from alphacut_training.pairs import Finding, Pair

SIDE = 400
"""Side of the stored squares: the network's 320 and a quarter more for crops."""

_READING = 2
"""Raised when ``pairs.read`` reads a file otherwise than before: what was decoded then is not taken up."""
_ARRAYS = ("images.u8", "masks.u8")
_HOME_VARIABLE = "ALPHACUT_HOME"
_MIN_SUBJECT = 4  # a mask whose brightest pixel is darker shows nothing


@dataclass(frozen=True, slots=True)
class Store:
    """Pictures and masks as arrays backed by files.

    Attributes:
        names: The pictures' names.
        images: uint8 (N, SIDE, SIDE, 3) RGB, squeezed into the square as the network sees them.
        masks: uint8 (N, SIDE, SIDE), 0 background to 255 subject.
        sizes: Width and height of the originals.
    """

    names: tuple[str, ...]
    images: Pixels
    masks: Pixels
    sizes: tuple[tuple[int, int], ...]

    def __len__(self) -> int:
        return len(self.names)


def build(
    found: Sequence[Pair], folder: Path | None = None, tell: Callable[[str], None] | None = None
) -> tuple[Store, list[Finding]]:
    """Decode pairs, or read what was decoded before: the same files, unchanged, are never decoded twice.

    Args:
        found: What ``pairs.find`` returned.
        folder: Where to keep the arrays; default: ``training`` in the user's cache, or in ``$ALPHACUT_HOME``.
        tell: Takes a line when there is work to do.

    Returns:
        Everything that could be decoded, and a finding for everything else.

    Raises:
        EngineBuildError: No space, no permission.
    """
    place = (folder or _cache()) / _key(found)
    if not (place / "index.json").exists():
        try:
            place.mkdir(parents=True, exist_ok=True)
            with alone(place):  # another run on the same pictures may be about to read what would be written over
                if not (place / "index.json").exists():
                    if tell is not None:
                        tell(f"decoding {len(found)} pictures into {place}")
                    _write(found, place)
        except OSError as error:
            for part in _ARRAYS:
                (place / part).unlink(missing_ok=True)  # they are what fills the disk
            raise EngineBuildError(
                f"cannot keep decoded pictures in {place}: {error.strerror}; free space, or point ALPHACUT_HOME to a "
                "folder that can be written"
            ) from error
    index = json.loads((place / "index.json").read_text())
    shape = (len(index["names"]), SIDE, SIDE)
    if not index["names"]:
        empty = np.empty((0, SIDE, SIDE, 3), np.uint8)
        return Store((), empty, empty[..., 0], ()), _findings(index)
    images_file, masks_file = (place / part for part in _ARRAYS)
    images = np.memmap(images_file, np.uint8, "r", shape=(*shape, 3))
    masks = np.memmap(masks_file, np.uint8, "r", shape=shape)
    sizes = tuple((width, height) for width, height in index["sizes"])
    return Store(tuple(index["names"]), images, masks, sizes), _findings(index)


def _write(found: Sequence[Pair], place: Path) -> None:
    """Decode into files; the index is written last and says that the rest is whole."""
    names, sizes, findings = [], [], []
    images_file, masks_file = (place / part for part in _ARRAYS)
    with images_file.open("wb") as images, masks_file.open("wb") as masks:
        for pair in found:
            try:
                picture, mask = pairs.read(pair)
                _check_subject(mask)
            except InputError as error:
                findings.append([pair.name, str(error)])
                continue
            images.write(geometry.to_square(picture, SIDE).tobytes())
            masks.write(np.asarray(mask.resize((SIDE, SIDE), Image.Resampling.BOX)).tobytes())
            names.append(pair.name)
            sizes.append(picture.size)
    index = json.dumps({"names": names, "sizes": sizes, "findings": findings})
    atomic.write(place / "index.json", index.encode())


def _check_subject(mask: Image.Image) -> None:
    if mask.getextrema()[1] < _MIN_SUBJECT:  # type: ignore[operator]  # one band, so numbers
        raise InputError("its mask is empty; put pictures without a subject into backgrounds/")


def _key(found: Sequence[Pair]) -> str:
    digest = hashlib.sha256(f"{SIDE} {_READING}".encode())
    for pair in found:
        for path in filter(None, (pair.image, pair.mask)):
            status = path.stat()
            digest.update(os.fsencode(f"{path.resolve()} {status.st_size} {status.st_mtime_ns}\n"))
    return digest.hexdigest()[:24]


def _findings(index: dict[str, list[tuple[str, str]]]) -> list[Finding]:
    return [Finding(name, problem) for name, problem in index["findings"]]


def _cache() -> Path:
    home = os.environ.get(_HOME_VARIABLE)
    cache = Path(home) if home else Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "alphacut"
    return cache.expanduser() / "training"
