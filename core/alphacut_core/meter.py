"""How long a Python model works, on Triton's page of metrics.

Triton's own ``nv_inference_compute_*`` count what passes in ``execute``, which only begins with the requests and
returns; see ``adapter``.
"""

from __future__ import annotations

from typing import Any

NAME = "alphacut_work_us"
"""A counter of microseconds by ``model`` and ``version``, summed over images that are worked on side by side."""


class Meter:
    """Counts one model's work.

    Args:
        pb_utils: Triton's module.
        model: The model's name.
        version: Its version.
    """

    def __init__(self, pb_utils: Any, model: str, version: str) -> None:
        # Lives as long as its metric: Triton forgets the family of a page when its handle is gone.
        self._family = pb_utils.MetricFamily(
            name=NAME, description="Time that a Python model worked, in us", kind=pb_utils.MetricFamily.COUNTER
        )
        self._metric = self._family.Metric(labels={"model": model, "version": version})

    def add(self, seconds: float) -> None:
        """Count the work on one image."""
        self._metric.increment(1e6 * seconds)
