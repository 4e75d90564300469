"""How a channel is opened: message sizes, reconnecting, taking turns, keep-alive, encryption."""

from __future__ import annotations

import json
from typing import Any

import grpc

from alphacut_client._target import endpoints, grpc_target
from alphacut_client.settings import Settings
from alphacut_client.tls import Tls

_PING_TIMEOUT_S = 20
_TURNS: dict[str, Any] = {
    "loadBalancingConfig": [
        {
            # A server that is gone is left out by its closed connection. One that hangs keeps its connection, and is
            # left out once nearly all of its calls have failed: their deadlines passed.
            "outlier_detection_experimental": {
                "interval": "2s",
                "baseEjectionTime": "10s",
                "maxEjectionTime": "60s",
                "maxEjectionPercent": 50,
                "failurePercentageEjection": {
                    "threshold": 85,
                    "enforcementPercentage": 100,
                    "minimumHosts": 2,
                    "requestVolume": 2,
                },
                "childPolicy": [{"round_robin": {}}],
            }
        }
    ]
}


def options(settings: Settings) -> list[tuple[str, Any]]:
    """Return gRPC's options for a channel."""
    chosen: list[tuple[str, Any]] = [
        # The server's limits on images apply; gRPC's own 4 MiB would be far below them.
        ("grpc.max_send_message_length", -1),
        ("grpc.max_receive_message_length", -1),
        # A server that comes back is found at once; gRPC's own back-off grows to two minutes.
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.min_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 1000),
        ("grpc.dns_min_time_between_resolutions_ms", 1000),
        # Channels of the same settings would share connections: a forked child its parent's, a new channel the
        # one that hangs.
        ("grpc.use_local_subchannel_pool", 1),
        # Pings only while calls wait, and rarer than servers forbid. They also make the kernel give up a peer that
        # stays silent (TCP_USER_TIMEOUT), which would otherwise take a quarter of an hour.
        ("grpc.keepalive_time_ms", int(settings.keepalive_s * 1000)),
        ("grpc.keepalive_timeout_ms", _PING_TIMEOUT_S * 1000),
        ("grpc.keepalive_permit_without_calls", 0),
        # Retries are the client's own: they know what Triton's statuses mean.
        ("grpc.enable_retries", 0),
    ]
    if settings.several:
        chosen.append(("grpc.service_config", json.dumps(_TURNS)))
    if isinstance(settings.tls, Tls) and settings.tls.server_name is not None:
        chosen.append(("grpc.ssl_target_name_override", settings.tls.server_name))
    return chosen


def open_channel(settings: Settings, api: Any = grpc) -> Any:
    """Open a channel; nothing is sent before the first call.

    Args:
        settings: Where to, and how.
        api: ``grpc`` for threads, ``grpc.aio`` for event loops.
    """
    target = grpc_target(endpoints(settings.url))
    if not settings.tls:
        return api.insecure_channel(target, options=options(settings))
    tls = settings.tls if isinstance(settings.tls, Tls) else Tls()
    return api.secure_channel(target, tls.credentials(), options=options(settings))
