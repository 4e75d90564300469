"""Two results of ``alphacut capacity``: is the newer one worse?"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alphacut_core.errors import InvalidOptionError
from alphacut_loadtest.capacity.result import SCHEMA
from alphacut_loadtest.digits import three

TOLERANCE = 0.10


@dataclass(frozen=True, slots=True)
class Comparison:
    """The newer result against the older.

    Attributes:
        before_per_s: Capacity then.
        after_per_s: Capacity now.
        tolerance: Largest loss, as a share, that is not called one.
        unlike: What else differs, so that the numbers may not be comparable.
        unproven: Which of the two its own run did not prove.
    """

    before_per_s: float
    after_per_s: float
    tolerance: float
    unlike: tuple[str, ...]
    unproven: tuple[str, ...] = ()

    @property
    def change(self) -> float:
        """Gain as a share of what was; below 0 a loss."""
        return self.after_per_s / self.before_per_s - 1

    @property
    def regressed(self) -> bool:
        """Whether capacity was lost."""
        return self.change < -self.tolerance

    def __str__(self) -> str:
        judged = "REGRESSED" if self.regressed else "within bounds" if self.change < self.tolerance else "better"
        unlike = f" Not alike: {', '.join(self.unlike)}." if self.unlike else ""
        doubtful = f" Not proven: {' and '.join(self.unproven)}." if self.unproven else ""
        return (
            f"{three(self.before_per_s)} images a second before, {three(self.after_per_s)} now: "
            f"{100 * self.change:+.1f} %, {judged} ({100 * self.tolerance:g} % are allowed).{unlike}{doubtful}"
        )


def compare(before: Path, after: Path, tolerance: float = TOLERANCE) -> Comparison:
    """Compare two JSON files.

    Raises:
        InvalidOptionError: One of them is no result of ``alphacut capacity``, or a partial one, without a capacity.
    """
    then, now = _with_capacity(before), _with_capacity(after)
    unlike = tuple(
        f"{name} ({_at(then, path)} and {_at(now, path)})"
        for name, path in (
            ("server", ("url",)),
            ("processor", ("origin", "machine", "processor")),
            ("cores", ("origin", "machine", "cores")),
            ("engine", ("origin", "engine")),
            ("SLO", ("slo",)),
            ("scenario", ("scenario",)),
        )
        if _at(then, path) != _at(now, path)
    )
    unproven = tuple(name for name, one in (("the older", then), ("the newer", now)) if not one["proven"])
    return Comparison(then["capacity_per_s"], now["capacity_per_s"], tolerance, unlike, unproven)


def read(path: Path) -> dict[str, Any]:
    """Read a result, or a partial one, which has ``no_capacity`` in place of ``capacity_per_s``.

    Raises:
        InvalidOptionError: It is none.
    """
    try:
        content: Any = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise InvalidOptionError(f"{path} cannot be read: {error}") from error
    known = isinstance(content, dict) and content.get("schema") == SCHEMA
    if not known or not {"capacity_per_s", "no_capacity"} & content.keys():
        raise InvalidOptionError(f"{path} is no result of alphacut capacity in schema {SCHEMA}; make one with it")
    return dict(content)


def _with_capacity(path: Path) -> dict[str, Any]:
    content = read(path)
    if "no_capacity" in content:
        raise InvalidOptionError(
            f"{path} is a partial result without a capacity ({content['no_capacity']['why']}); compare results that "
            "have one"
        )
    return content


def _at(content: dict[str, Any], path: tuple[str, ...]) -> Any:
    value: Any = content
    for key in path:
        value = value[key]
    return value
