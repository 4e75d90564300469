"""How long a Python model works and lets wait, on Triton's page of metrics.

Triton's own ``nv_inference_queue_*`` and ``nv_inference_compute_*`` stop when a Python model has taken a request:
see ``places``.
"""

from __future__ import annotations

from typing import Any

from alphacut_core.counter import Counter
from alphacut_core.places import Turn

WORK = "alphacut_work_us"
"""A counter of microseconds by ``model`` and ``version``, summed over images that are worked on side by side."""

WAIT = "alphacut_wait_us"
"""The same of the time that they waited before that, in the model itself."""


class Meter:
    """Counts one model's work.

    Args:
        pb_utils: Triton's module.
        model: The model's name.
        version: Its version.
    """

    def __init__(self, pb_utils: Any, model: str, version: str) -> None:
        self._work = Counter(pb_utils, WORK, "Time that a Python model worked, in us", model, version)
        self._wait = Counter(pb_utils, WAIT, "Time that images waited in it, in us", model, version)
        for counter in (self._work, self._wait):
            counter.add(0.0)  # on the page from the start, for whoever takes differences

    def add(self, work_s: float, turn: Turn) -> None:
        """Count the work on one image, and its wait."""
        self._work.add(1e6 * work_s)
        self._wait.add(1e6 * turn.waited_s)

    def close(self) -> None:
        """Give the counters back, before Triton ends the process."""
        self._work.close()
        self._wait.close()
