"""Whether a server really works."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial

from tritonclient.grpc import service_pb2

from alphacut_client import _wire
from alphacut_client._catalogue import Catalogue
from alphacut_client._route import Route
from alphacut_client._steps import Steps, ask
from alphacut_core import probe
from alphacut_core.contract import RENDERED, Pipeline
from alphacut_core.options import Options


@dataclass(frozen=True, slots=True)
class Health:
    """A server that answers.

    Attributes:
        server: Name and version of the server's software.
        latency_s: Seconds from sending a small picture to its mask and its cut-out.
        confidence: How sure the network was of that picture's subject, 0 to 1.
    """

    server: str
    latency_s: float
    confidence: float


def check(catalogue: Catalogue, route: Route) -> Steps:
    """Ask for mask and cut-out of a small picture, once: Triton can call itself ready with dead models."""
    return (yield from catalogue.go(route, partial(_ask, route)))


def _ask(route: Route, pipeline: Pipeline) -> Steps:
    question = _wire.predict_file(pipeline, probe.picture(), Options())
    question.outputs.add(name=RENDERED.name)  # or Triton leaves the last step out, which may be dead
    started = time.perf_counter()
    answer = yield from ask("ModelInfer", question, route.timeout_s, once=True)
    latency_s = time.perf_counter() - started
    server = yield from ask("ServerMetadata", service_pb2.ServerMetadataRequest(), route.timeout_s, once=True)
    prediction = _wire.read_prediction(answer)
    return Health(f"{server.name} {server.version}", latency_s, prediction.confidence)
