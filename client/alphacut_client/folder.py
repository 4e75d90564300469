"""Which file of a folder becomes which file of another."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from alphacut_core.errors import InputError
from alphacut_core.formats import SUFFIXES


@dataclass(frozen=True, slots=True)
class Job:
    """One image file and where its result belongs."""

    source: Path
    target: Path

    @property
    def finished(self) -> bool:
        """Whether the result is there; results are written in one step, so an existing one is complete."""
        return self.target.is_file() and self.target.stat().st_size > 0


def plan(source: Path, target: Path, suffix: str) -> list[Job]:
    """Pair every image below ``source`` with a file at the same place below ``target``.

    ``a/b.jpg`` becomes ``a/b.png``. Where several images would become the same file (``b.jpg`` and ``b.bmp``),
    each keeps its full name: ``b.jpg.png`` and ``b.bmp.png``. Hidden files and folders, and ``target`` itself
    where it lies inside ``source``, are left out.

    Args:
        source: An existing folder.
        target: A folder, not necessarily existing.
        suffix: Ending of the results, with its dot.

    Returns:
        Jobs in the order of their sources' names.

    Raises:
        InputError: There is no image, or a result would overwrite an image or another result.
    """
    if source.resolve() == target.resolve():
        raise InputError(f"results would mix with the images of {source}; name another folder")
    sources = sorted(_images(source, target))
    if not sources:
        raise InputError(f"found no image below {source}; files ending in {' '.join(sorted(SUFFIXES))} are taken")
    sharing: dict[Path, list[Path]] = defaultdict(list)
    for image in sources:
        sharing[image.with_suffix(suffix)].append(image)
    jobs = [
        Job(source / image, target / (short if len(images) == 1 else image.with_name(image.name + suffix)))
        for short, images in sharing.items()
        for image in images
    ]
    _check_targets(jobs)
    return sorted(jobs, key=lambda job: job.source)


def _images(source: Path, target: Path) -> Iterator[Path]:
    """Walk ``source``, yielding paths relative to it."""
    excluded = target.resolve()
    for folder, subfolders, names in os.walk(source):
        here = Path(folder)
        subfolders[:] = [
            name for name in subfolders if not name.startswith(".") and (here / name).resolve() != excluded
        ]
        for name in names:
            if not name.startswith(".") and Path(name).suffix.lower() in SUFFIXES:
                yield (here / name).relative_to(source)


def _check_targets(jobs: list[Job]) -> None:
    sources = {job.source.resolve() for job in jobs}
    taken: dict[Path, Path] = {}
    for job in jobs:
        target = job.target.resolve()
        if target in sources:
            raise InputError(f"the result of {job.source} would overwrite the image {job.target}; name another folder")
        if target in taken:
            raise InputError(
                f"{taken[target]} and {job.source} would both become {job.target}; rename one of them, or cut them "
                "out one by one"
            )
        taken[target] = job.source
