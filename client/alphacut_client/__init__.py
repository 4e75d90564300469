"""Alphacut's client: images in, cut-outs out, over gRPC; embedded server included where one is installed."""

from alphacut_client.client import Client
from alphacut_client.embedded import EmbeddedServer
from alphacut_client.health import Health
from alphacut_client.stats import ModelStatistics
from alphacut_client.timings import StageTimes

__all__ = ["Client", "EmbeddedServer", "Health", "ModelStatistics", "StageTimes"]
