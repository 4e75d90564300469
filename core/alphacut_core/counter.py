"""Counters of a Python model's own on Triton's page of metrics."""

from __future__ import annotations

import threading
from typing import Any

# One at a time in a process: a metric writes its message without a lock of its own, and two brought Triton 2.51 down.
_WRITING = threading.Lock()


class Counter:
    """A number that only grows, by model, version and what else ``add`` is told.

    Args:
        pb_utils: Triton's module.
        name: The counter's, on the page.
        description: What it counts, in a line.
        model: The model's name.
        version: Its version.
    """

    def __init__(self, pb_utils: Any, name: str, description: str, model: str, version: str) -> None:
        self._labels = {"model": model, "version": version}
        self._log_error = pb_utils.Logger.log_error
        self._metrics: dict[str, Any] = {}
        families = pb_utils.MetricFamily
        with _WRITING:
            # It lives as long as its metrics: Triton takes a family off the page when its handle is gone.
            self._family = families(name=name, description=description, kind=families.COUNTER)

    def add(self, amount: float, **labels: str) -> None:
        """Count; where that cannot be done, say so in Triton's log."""
        with _WRITING:
            try:
                key = "/".join(labels.values())
                if key not in self._metrics:
                    self._metrics[key] = self._family.Metric(labels={**self._labels, **labels})
                self._metrics[key].increment(amount)
            except Exception as error:  # noqa: BLE001  the process boundary: images matter more than their count
                self._log_error(f"an image is not counted on the page of metrics: {error}")

    def close(self) -> None:
        """Give it back while Triton takes it: one that lives as long as its process brings that down at its end."""
        with _WRITING:
            self._metrics.clear()
            self._family = None
