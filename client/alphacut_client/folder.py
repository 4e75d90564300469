"""Which file of a folder becomes which file of another."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from alphacut_core.errors import InputError
from alphacut_core.formats import SUFFIXES

_NO_FILE = "got no regular file, nor a link to one"


@dataclass(frozen=True, slots=True)
class Job:
    """One image file and where its result belongs."""

    source: Path
    target: Path

    @property
    def finished(self) -> bool:
        """Whether the result is there; results are written in one step, so an existing one is complete."""
        try:
            found = self.target.stat()
        except OSError:  # writing it says why, and fails alone
            return False
        return stat.S_ISREG(found.st_mode) and found.st_size > 0


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done about a folder.

    Attributes:
        jobs: In the order of their sources' names.
        refused: Folders that cannot be listed, and what is called like an image and is no file; and why.
    """

    jobs: list[Job]
    refused: dict[Path, str]


def plan(source: Path, target: Path, suffix: str) -> Plan:
    """Pair every image below ``source`` with a file at the same place below ``target``.

    ``a/b.jpg`` becomes ``a/b.png``. Where several images would become the same file (``b.jpg`` and ``b.bmp``),
    each keeps its full name: ``b.jpg.png`` and ``b.bmp.png``. Links to files and folders are followed. Hidden files
    and folders, ``target`` itself where it lies inside ``source``, and links back to a folder that they lie in are
    left out.

    Args:
        source: An existing folder.
        target: A folder, not necessarily existing.
        suffix: Ending of the results, with its dot.

    Raises:
        InputError: There is no image, or a result would overwrite an image or another result.
    """
    if os.path.realpath(source) == os.path.realpath(target):
        raise InputError(f"results would mix with the images of {source}; name another folder")
    images: list[str] = []  # paths as text: fifty thousand are no rarity
    refused: dict[Path, str] = {}
    for name, reason in _images(source, target):
        if reason is None:
            images.append(name)
        else:
            refused[source / name] = reason
    if not images and not refused:
        raise InputError(f"found no image below {source}; files ending in {' '.join(sorted(SUFFIXES))} are taken")
    stems = {image: os.path.splitext(image)[0] for image in sorted(images)}
    sharing = Counter(stems.values())
    jobs = [
        Job(source / image, target / ((stem if sharing[stem] == 1 else image) + suffix))
        for image, stem in stems.items()
    ]
    _check_targets(jobs)
    return Plan(jobs, dict(sorted(refused.items())))


def _images(source: Path, target: Path) -> Iterator[tuple[str, str | None]]:
    """Walk ``source``; yield paths relative to it: images with None, and what is refused with the reason."""
    waiting = [("", frozenset({os.path.realpath(target)}))]
    while waiting:
        folder, closed = waiting.pop()  # closed are those on the way to it too, so that links lead into no circle
        real = os.path.realpath(source / folder)
        if real in closed:
            continue
        try:
            with os.scandir(source / folder) as found:
                entries = [entry for entry in found if not entry.name.startswith(".")]
        except OSError as error:
            yield folder, f"cannot list this folder ({error.strerror}); make it readable, or move it away"
            continue
        for entry in entries:
            path = os.path.join(folder, entry.name)
            try:
                if entry.is_dir():
                    waiting.append((path, closed | {real}))
                elif os.path.splitext(entry.name)[1].lower() in SUFFIXES:
                    yield path, None if entry.is_file() else f"{_NO_FILE}; remove it"
            except OSError as error:  # a link that leads to itself, or to where nobody may look
                yield path, f"{_NO_FILE} that can be found ({error.strerror}); mend the link, or remove it"


def _check_targets(jobs: list[Job]) -> None:
    real = _resolver()
    sources = {real(job.source) for job in jobs}
    taken: dict[str, Path] = {}
    for job in jobs:
        target = real(job.target)
        if target in sources:
            raise InputError(f"the result of {job.source} would overwrite the image {job.target}; name another folder")
        if target in taken:
            raise InputError(
                f"{taken[target]} and {job.source} would both become {job.target}; rename one of them, or cut them "
                "out one by one"
            )
        taken[target] = job.source


def _resolver() -> Callable[[Path], str]:
    """Make an ``os.path.realpath`` for many files of few folders, each of which it follows once."""
    folder = cache(os.path.realpath)

    def real(path: Path) -> str:
        parent, name = os.path.split(path)
        return os.path.realpath(path) if os.path.islink(path) else os.path.join(folder(parent), name)

    return real
