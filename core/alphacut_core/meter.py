"""How long a Python model works and lets images wait, on Triton's metrics page.

Triton's own ``nv_inference_queue_*`` and ``nv_inference_compute_*`` stop when ``execute`` returns, and by then it has
only put the images into the line: see ``places``.
"""

from __future__ import annotations

import threading
from typing import Any

from alphacut_core.places import Turn

WORK = "alphacut_work_us"
"""A counter of microseconds by ``model`` and ``version``, summed over images that are worked on side by side."""

WAIT = "alphacut_wait_us"
"""The same of the time that they waited before that, in the model itself."""


WAITING = "alphacut_waiting"
"""A gauge: how many of them wait."""


class Meter:
    """Counts one model's work.

    Args:
        pb_utils: Triton's module.
        model: The model's name.
        version: Its version.
    """

    def __init__(self, pb_utils: Any, model: str, version: str) -> None:
        kinds, labels = pb_utils.MetricFamily, {"model": model, "version": version}
        # They live as long as their metrics: Triton forgets the family of a page when its handle is gone.
        self._families = [
            kinds(name=WORK, description="Time that a Python model worked, in us", kind=kinds.COUNTER),
            kinds(name=WAIT, description="Time that images waited in it, in us", kind=kinds.COUNTER),
            kinds(name=WAITING, description="Images that wait in it", kind=kinds.GAUGE),
        ]
        metrics: list[Any] = [family.Metric(labels=labels) for family in self._families]
        self._work, self._wait, self._waiting = metrics
        self._lock = threading.Lock()
        self._log_error = pb_utils.Logger.log_error

    def add(self, work_s: float, turn: Turn) -> None:
        """Count the work on one image, its wait, and those that waited behind it."""
        # One at a time: a metric writes its message without a lock of its own, and two brought Triton 2.51 down.
        with self._lock:
            try:
                self._work.increment(1e6 * work_s)
                self._wait.increment(1e6 * turn.waited_s)
                self._waiting.set(turn.waiting)
            except Exception as error:  # noqa: BLE001  the process boundary: images matter more than their count
                self._log_error(f"an image is not counted on the page of metrics: {error}")

    def close(self) -> None:
        """Give the metrics back while Triton takes them: one that lives as long as its process brings that down."""
        with self._lock:
            self._work = self._wait = self._waiting = None
            self._families.clear()  # after their metrics
