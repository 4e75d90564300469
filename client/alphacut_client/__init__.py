"""Alphacut's client: images in, cut-outs out, over gRPC; embedded server included where one is installed."""

from alphacut_client._wire import Prediction
from alphacut_client.aio import AsyncClient
from alphacut_client.client import Client
from alphacut_client.embedded import EmbeddedServer
from alphacut_client.health import Health
from alphacut_client.models import InstalledModel
from alphacut_client.stats import ModelStatistics
from alphacut_client.timings import StageTimes
from alphacut_client.tls import Tls

__all__ = [
    "AsyncClient",
    "Client",
    "EmbeddedServer",
    "Health",
    "InstalledModel",
    "ModelStatistics",
    "Prediction",
    "StageTimes",
    "Tls",
]
