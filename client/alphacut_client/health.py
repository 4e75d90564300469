"""Whether a server really works."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from tritonclient.grpc import service_pb2

from alphacut_client import _wire
from alphacut_client._async_connection import AsyncConnection
from alphacut_client._connection import Connection
from alphacut_core import probe
from alphacut_core.contract import Pipeline
from alphacut_core.options import Options


@dataclass(frozen=True, slots=True)
class Health:
    """A server that answers.

    Attributes:
        server: Name and version of the server's software.
        latency_s: Seconds from sending a small picture to its mask.
        confidence: How sure the network was of that picture's subject, 0 to 1.
    """

    server: str
    latency_s: float
    confidence: float


def check(connection: Connection, pipeline: Pipeline) -> Health:
    """Ask for the mask of a small picture, once: Triton can call itself ready with dead models."""
    started = time.perf_counter()
    response = connection.call("ModelInfer", _question(pipeline))
    latency_s = time.perf_counter() - started
    server = connection.call("ServerMetadata", service_pb2.ServerMetadataRequest())
    return _health(pipeline, response, server, latency_s)


async def check_async(connection: AsyncConnection, pipeline: Pipeline) -> Health:
    """``check`` on an event loop."""
    started = time.perf_counter()
    response = await connection.call("ModelInfer", _question(pipeline))
    latency_s = time.perf_counter() - started
    server = await connection.call("ServerMetadata", service_pb2.ServerMetadataRequest())
    return _health(pipeline, response, server, latency_s)


def _question(pipeline: Pipeline) -> service_pb2.ModelInferRequest:
    return _wire.predict_file(pipeline, probe.picture(), Options())


def _health(pipeline: Pipeline, response: service_pb2.ModelInferResponse, server: Any, latency_s: float) -> Health:
    prediction = _wire.read_prediction(pipeline, response)
    return Health(f"{server.name} {server.version}", latency_s, prediction.confidence)
