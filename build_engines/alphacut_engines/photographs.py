"""Real pictures to calibrate with and to judge engines by."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from alphacut_core import bundled, codec, file_names, formats, geometry
from alphacut_core.errors import EngineBuildError, InputError
from alphacut_core.geometry import Pixels
from alphacut_engines import fingerprint

FOLDER = "folder"
SAMPLES = "samples"
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Photographs:
    """Pictures on the disk, read one at a time.

    Attributes:
        kind: ``folder`` is what a user gave, ``samples`` the checkout's few, each also mirrored, cropped, darkened.
        paths: Their files, in order.
        size: Side of the square that the network wants, in pixels.
    """

    kind: str
    paths: tuple[Path, ...]
    size: int

    def __iter__(self) -> Iterator[tuple[str, Pixels]]:
        """Yield each picture's name and its square, uint8 (size, size, 3).

        Raises:
            EngineBuildError: A file that cannot be read.
        """
        variants = _VARIANTS if self.kind == SAMPLES else {"": _same}
        for path in self.paths:
            picture = _read(path)
            for name, vary in variants.items():
                yield file_names.printable(path.name) + name, geometry.to_square(vary(picture), self.size)

    def some(self, n: int) -> Photographs:
        """Return at most ``n`` of them, evenly spread."""
        chosen = np.unique(np.linspace(0, len(self.paths) - 1, min(n, len(self.paths))).astype(int))
        return Photographs(self.kind, tuple(self.paths[i] for i in chosen), self.size)


def of_folder(folder: Path, size: int, at_least: int) -> Photographs:
    """Return the photographs in ``folder``.

    Raises:
        EngineBuildError: There are too few to say anything.
    """
    paths = _files(folder)
    if len(paths) < at_least:
        raise EngineBuildError(
            f"got {len(paths)} photographs in {folder}; at least {at_least} are needed, in the folder itself; add some"
        )
    return Photographs(FOLDER, paths, size)


def check_apart(gate: Path, calibration: Path) -> None:
    """Refuse two folders that hold the same photographs, under whatever names.

    Raises:
        EngineBuildError: They do: an engine does well on what it was fitted to, which proves nothing.
        EngineSourceError: One of them cannot be read.
    """
    judging, fitted = _by_size(gate), _by_size(calibration)
    # Hundreds of photographs take long to read, and those of a size that the other folder has not are no copies.
    sizes = judging.keys() & fitted.keys()
    known = {_content(path) for size in sizes for path in fitted[size]}
    shared = [path for size in sizes for path in judging[size] if _content(path) in known]
    if shared:
        names = ", ".join(file_names.printable(path.name) for path in sorted(shared)[:_NAMED])
        more = ", ..." if len(shared) > _NAMED else ""
        raise EngineBuildError(
            f"{len(shared)} of the photographs in --gate {gate} are in --calibration {calibration} too "
            f"({names}{more}); what INT8 is fitted to cannot judge it: take them out of one of the two"
        )


def samples(size: int) -> Photographs:
    """Return the sample pictures."""
    return Photographs(SAMPLES, tuple(sorted(bundled.SAMPLES.glob("*.jpg"))), size)


def _files(folder: Path) -> tuple[Path, ...]:
    return tuple(path for path in sorted(folder.iterdir()) if path.suffix.lower() in formats.SUFFIXES)


def _by_size(folder: Path) -> Mapping[int, list[Path]]:
    sizes = defaultdict(list)
    for path in _files(folder):
        if path.is_file():  # what is not is refused by name when it is read
            sizes[path.stat().st_size].append(path)
    return sizes


def _content(path: Path) -> str:
    return fingerprint.of_file(path, "mend it or take it away")


def _read(path: Path) -> Image.Image:
    try:
        return codec.decode(path.read_bytes())
    except (OSError, InputError) as error:
        raise EngineBuildError(f"cannot read the photograph {path}: {error}; mend it or take it away") from error


def _same(picture: Image.Image) -> Image.Image:
    return picture


def _cropped(picture: Image.Image) -> Image.Image:
    width, height = picture.size
    return picture.crop((width // 8, height // 8, width, height))


def _darkened(picture: Image.Image) -> Image.Image:
    return picture.convert("RGB").point([value * 6 // 10 for value in range(256)] * 3)


_VARIANTS: dict[str, Callable[[Image.Image], Image.Image]] = {
    "": _same,
    " mirrored": ImageOps.mirror,
    " cropped": _cropped,
    " darkened": _darkened,
}
