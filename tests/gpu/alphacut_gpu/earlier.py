"""What an earlier call of the course found, kept and merged where single sections are run again."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from alphacut_gpu.course import TIMED_OUT, UNDER_WAY, Outcome
from alphacut_gpu.place import Place
from alphacut_gpu.report import FILES
from alphacut_gpu.sections import SECTIONS, Section


class EarlierError(Exception):
    """What is to be merged with cannot be read."""


def read(folder: Path) -> list[Outcome]:
    """Return how each section ended then, in the course's order; none where no course has written there.

    Raises:
        EarlierError: It is no report of the course's.
    """
    path = folder / FILES[0]
    if not path.is_file():
        return []
    try:
        told = json.loads(path.read_text())["sections"]
        logs = _logs(folder / FILES[2])
        outcomes = [_outcome(one, told[one.name], logs.get(one.name, "")) for one in SECTIONS if one.name in told]
    except (ValueError, LookupError, TypeError) as error:
        raise EarlierError(f"got {path}, which is no report of this course ({error!r}); name another --out") from error
    cut = "the course was ended while it ran"
    return [
        dataclasses.replace(one, status=TIMED_OUT, reason=cut) if one.status == UNDER_WAY else one for one in outcomes
    ]


def leave(place: Place, earlier: Sequence[Outcome], again: Sequence[str]) -> None:
    """Leave for the sections that run again what the others have found, but for files, which are gone."""
    for one in earlier:
        if one.section.name not in again and one.found:
            place.keep(one.section.name, _without_files(one.found))


def merge(earlier: Sequence[Outcome], fresh: Sequence[Outcome]) -> list[Outcome]:
    """Return one outcome a section, the fresh one unless it found nothing where the earlier one did."""
    merged = {one.section.name: one for one in earlier}
    for one in fresh:
        before = merged.get(one.section.name)
        if before is not None and before.found and not one.found:
            again = f"run again: {one.status}{': ' if one.reason else ''}{one.reason}"
            merged[one.section.name] = dataclasses.replace(before, reason=again)
        else:
            merged[one.section.name] = one
    return [merged[one.name] for one in SECTIONS if one.name in merged]


def _outcome(section: Section, told: Mapping[str, Any], log: str) -> Outcome:
    ended = {name: told[name] for name in ("status", "reason", "took_s", "found")}
    return Outcome(section, **ended, log=log, began=told.get("began", ""))


def _without_files(found: Any) -> Any:
    if isinstance(found, dict):
        return {name: _without_files(value) for name, value in found.items() if name != "path"}
    return [_without_files(one) for one in found] if isinstance(found, list) else found


def _logs(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    names = "|".join(re.escape(one.name) for one in SECTIONS)
    _, *parts = re.split(rf"^== ({names})$\n", path.read_text(), flags=re.MULTILINE)
    return dict(zip(parts[::2], parts[1::2], strict=True))
