"""Where a course works, and what its sections leave for each other and for the report."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[3]
KEPT = "ALPHACUT_GPU_KEPT"
"""Variable that names the folder where sections leave optimised networks for each other: to make one takes long."""


class NotRunError(Exception):
    """A section cannot run here; its text is the reason."""


@dataclass(frozen=True, slots=True)
class Place:
    """One course's folder and settings.

    Attributes:
        work: Existing folder for everything that is made.
        pack: What was carried along, unpacked; None where nothing was.
        quick: Whether seconds matter more than numbers, as in tests.
    """

    work: Path
    pack: Path | None
    quick: bool

    def keep(self, section: str, found: dict[str, Any]) -> None:
        """Write what a section has found so far, so that it is not lost if its time runs out."""
        draft = self._found(section).with_suffix(".draft")
        draft.write_text(json.dumps(found, indent=1))
        draft.replace(self._found(section))

    def found(self, section: str) -> dict[str, Any]:
        """Return what a section has found; empty where it has not run."""
        path = self._found(section)
        content: dict[str, Any] = json.loads(path.read_text()) if path.is_file() else {}
        return content

    def folder(self, name: str) -> Path:
        """Return a folder below ``work``, made where there is none."""
        folder = self.work / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _found(self, section: str) -> Path:
        return self.work / f"{section}.found.json"
