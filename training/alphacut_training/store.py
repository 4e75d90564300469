"""Decoded pictures and masks on the disk, made once, so that no epoch decodes again."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from alphacut_core import atomic, geometry
from alphacut_core.errors import EngineBuildError, InputError
from alphacut_core.geometry import Pixels
from alphacut_training import pairs
from alphacut_training.copies import INDEX_FILE, kept, mapped
from alphacut_training.pairs import Finding, Pair

SIDE = 400
"""Side of the stored squares: the network's 320 and a quarter more for crops."""

_READING = 2
"""Raised when ``pairs.read`` reads a file otherwise than before: what was decoded then is not taken up."""
_IMAGES, _MASKS = "images.u8", "masks.u8"
_PICTURE_BYTES, _PAIR_BYTES = SIDE * SIDE * 3, SIDE * SIDE * 4
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
    files = [path for pair in found for path in (pair.image, pair.mask) if path is not None]
    place = (folder or _cache()) / _key("", files)
    with _kept(place, len(found) * _PAIR_BYTES, f"{len(found)} pictures", tell, lambda: _write(found, place)) as lock:
        index = _index(place)
        shape = (len(index["names"]), SIDE, SIDE)
        images, masks = mapped(place / _IMAGES, (*shape, 3), lock), mapped(place / _MASKS, shape, lock)
    sizes = tuple((width, height) for width, height in index["sizes"])
    return Store(tuple(index["names"]), images, masks, sizes), _findings(index)


def backgrounds(
    paths: Sequence[Path], folder: Path | None = None, tell: Callable[[str], None] | None = None
) -> tuple[Pixels, list[Finding]]:
    """Decode pictures without a subject as ``build`` does pairs; uint8 (N, SIDE, SIDE, 3).

    Raises:
        EngineBuildError: No space, no permission.
    """
    place = (folder or _cache()) / _key("backgrounds ", paths)
    n_bytes, what = len(paths) * _PICTURE_BYTES, f"{len(paths)} backgrounds"
    with _kept(place, n_bytes, what, tell, lambda: _write_backgrounds(paths, place)) as lock:
        index = _index(place)
        return mapped(place / _IMAGES, (len(index["names"]), SIDE, SIDE, 3), lock), _findings(index)


@contextmanager
def _kept(
    place: Path, n_bytes: int, what: str, tell: Callable[[str], None] | None, write: Callable[[], None]
) -> Iterator[int]:
    def told() -> None:
        if tell is not None:
            tell(f"decoding {what} into {place}")
        write()

    try:
        with kept(place, n_bytes, told) as lock:
            yield lock
    except OSError as error:
        raise EngineBuildError(
            f"cannot keep decoded pictures in {place}: {error.strerror}; free space, or point ALPHACUT_HOME to a "
            "folder that can be written"
        ) from error


def _write(found: Sequence[Pair], place: Path) -> None:
    names, sizes, findings = [], [], []
    with (place / _IMAGES).open("wb") as images, (place / _MASKS).open("wb") as masks:
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
    _write_index(place, {"names": names, "sizes": sizes, "findings": findings})


def _write_backgrounds(paths: Sequence[Path], place: Path) -> None:
    names, findings = [], []
    with (place / _IMAGES).open("wb") as images:
        for path in paths:
            name = f"{path.parent.name}/{path.name}"
            try:
                images.write(geometry.to_square(pairs.decoded(path), SIDE).tobytes())
                names.append(name)
            except InputError as error:
                findings.append([name, str(error)])
    _write_index(place, {"names": names, "findings": findings})


def _check_subject(mask: Image.Image) -> None:
    if mask.getextrema()[1] < _MIN_SUBJECT:  # type: ignore[operator]  # one band, so numbers
        raise InputError("its mask is empty; put pictures without a subject into backgrounds/")


def _key(kind: str, paths: Iterable[Path]) -> str:
    digest = hashlib.sha256(f"{kind}{SIDE} {_READING}".encode())
    for path in paths:
        status = path.stat()
        digest.update(os.fsencode(f"{path.resolve()} {status.st_size} {status.st_mtime_ns}\n"))
    return digest.hexdigest()[:24]


def _write_index(place: Path, index: Mapping[str, Any]) -> None:
    atomic.write(place / INDEX_FILE, json.dumps(index).encode())


def _index(place: Path) -> dict[str, Any]:
    index: dict[str, Any] = json.loads((place / INDEX_FILE).read_text())
    return index


def _findings(index: Mapping[str, Any]) -> list[Finding]:
    return [Finding(name, problem) for name, problem in index["findings"]]


def _cache() -> Path:
    home = os.environ.get(_HOME_VARIABLE)
    cache = Path(home) if home else Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "alphacut"
    return cache.expanduser() / "training"
