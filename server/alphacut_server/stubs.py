"""Triton's stubs, the processes that run its Python models: which of them died, though Triton did not end them.

Triton stays READY without one, finds out when somebody asks its model, answers with errors, and never starts it anew.
"""

from __future__ import annotations

from pathlib import Path

from alphacut_core.stub import NAME, model_of
from alphacut_server.leash import children

_ENDED = ("Z", "X")


class Stubs:
    """The stubs of one run of Triton."""

    def __init__(self, leash: int) -> None:
        """Find those that are there.

        Args:
            leash: Process whose child Triton is.
        """
        self._leash = leash
        self._models: dict[int, str] = {}
        self._ended: set[int] = set()
        self.find()

    def find(self) -> None:
        """Look for those that came since."""
        for triton in children(self._leash):
            for pid in children(triton):
                if pid not in self._models and (model := _model(pid)):
                    self._models[pid] = model

    def dead(self) -> list[str]:
        """Return the models whose stub had ended at the last look already, and that Triton has not waited for since.

        It does so at once for stubs that it ends itself, as it does when another version takes their place.
        """
        ended_before, self._ended = self._ended, set()
        for pid in list(self._models):
            state = _state(pid)
            if state is None:
                del self._models[pid]
            elif state in _ENDED:
                self._ended.add(pid)
        return sorted(self._models[pid] for pid in self._ended & ended_before)


def _model(pid: int) -> str | None:
    """Return the name of the Triton model that a process runs, or None if it runs none."""
    words = (_read(pid, "cmdline") or "").split("\0")
    if words == [""] and (_read(pid, "comm") or "").rstrip("\n") == NAME:
        return "some model"  # it has died already, and its arguments with it
    return model_of(words)


def _state(pid: int) -> str | None:
    """Return the kernel's letter for what a process does, or None if there is none."""
    status = _read(pid, "stat")
    return None if status is None else status.rpartition(")")[2].split()[0]


def _read(pid: int, what: str) -> str | None:
    try:
        return Path(f"/proc/{pid}/{what}").read_text(errors="replace")
    except OSError:
        return None
