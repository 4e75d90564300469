"""What Prometheus is told."""

from __future__ import annotations

import os

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from alphacut_gateway.stages import Stage

_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)


class Metrics:
    """The numbers of one application, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "alphacut_gateway_requests",
            "Requests by route and HTTP status.",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self.errors = Counter(
            "alphacut_gateway_errors",
            "Requests that ended in an error, by its code.",
            ("code",),
            registry=self.registry,
        )
        self.in_flight = Gauge(
            "alphacut_gateway_in_flight", "Requests under way.", registry=self.registry, multiprocess_mode="livesum"
        )
        self.request_seconds = Histogram(
            "alphacut_gateway_request_seconds",
            "Seconds from a request's head to the last bytes of its answer, fetched or not.",
            ("route",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.stage_seconds = Histogram(
            "alphacut_gateway_stage_seconds",
            "Seconds of each stage of work on an image.",
            ("stage",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.masks = Counter(
            "alphacut_gateway_masks", "Masks by whether they were known.", ("found",), registry=self.registry
        )
        self.redis_failures = Counter(
            "alphacut_gateway_redis_failures", "Times that Redis did not answer.", registry=self.registry
        )
        self.stepped_down = Counter(
            "alphacut_gateway_stepped_down",
            "Requests answered from a smaller tier than asked for.",
            ("requested", "mode"),
            registry=self.registry,
        )

    def observe_stage(self, stage: Stage, duration_s: float) -> None:
        """Count one stage of one request."""
        self.stage_seconds.labels(stage).observe(duration_s)

    def exposition(self) -> bytes:
        """Return all numbers in Prometheus' text format, of all worker processes where there are several."""
        if _FOLDER not in os.environ:
            return generate_latest(self.registry)
        together = CollectorRegistry()
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        return generate_latest(together)
