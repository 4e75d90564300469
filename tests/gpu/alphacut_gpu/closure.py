"""Whether wheels need one that is not among them, on a Python other than the running one.

``pip download --python-version`` picks files for that Python but judges conditions by the one it runs on.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Mapping
from importlib.metadata import Distribution, PathDistribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def environment(version: str) -> dict[str, str]:
    """Return the conditions of Python ``X.Y`` that differ from the running one's."""
    return {"python_version": version, "python_full_version": f"{version}.0", "platform_machine": "x86_64"}


def applies(one: Requirement, there: Mapping[str, str], extras: Iterable[str] = ("",)) -> bool:
    """Whether a requirement holds there, for someone who asked for these extras."""
    return one.marker is None or any(one.marker.evaluate({**there, "extra": extra}) for extra in extras)


def lacking(wheels: Iterable[Path], wanted: Iterable[str], version: str) -> list[str]:
    """Return what ``wanted`` needs on Python ``X.Y`` that no wheel is, each with who needs it."""
    found = {canonicalize_name(one.name): one for one in map(_distribution, wheels)}
    there = environment(version)
    waiting = [("the course", Requirement(text)) for text in wanted]
    seen: set[tuple[str, frozenset[str]]] = set()
    missing: dict[str, str] = {}
    while waiting:
        by, one = waiting.pop()
        name = canonicalize_name(one.name)
        if name not in found:
            missing.setdefault(name, f"{one.name}, for {by}")
        elif (key := (name, frozenset(one.extras))) not in seen:
            seen.add(key)
            needs = map(Requirement, found[name].requires or ())
            waiting += [(one.name, need) for need in needs if applies(need, there, one.extras or ("",))]
    return sorted(missing.values())


def _distribution(wheel: Path) -> Distribution:
    archive = zipfile.ZipFile(wheel)
    folder = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA")).rpartition("/")[0]
    return PathDistribution(zipfile.Path(archive, f"{folder}/"))
