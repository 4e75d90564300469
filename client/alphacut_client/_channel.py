"""How a channel is opened: message sizes, reconnecting, taking turns, keep-alive, encryption."""

from __future__ import annotations

import json
from typing import Any

import grpc

from alphacut_client._target import endpoints, is_local
from alphacut_client.settings import Settings
from alphacut_client.tls import Tls
from alphacut_core.loopback import NO_PROXY

_PING_TIMEOUT_S = 20
_SWEEP_S = 0.5
"""How often gRPC looks which servers to leave out."""


def _turns(servers: int) -> str:
    """Return gRPC's service config for servers that take turns.

    One that is gone is left out by its closed connection. One that hangs keeps its connection, and is left out when
    nearly all of its calls within a sweep failed: their deadlines passed. Never more than half of them are.

    Args:
        servers: How many are known; 1 where a name may stand for any number.
    """
    judged = {
        "threshold": 85,
        "enforcementPercentage": 100,
        # How many must have had calls for one to be judged: behind a name, a lone server must never be left out.
        "minimumHosts": 2 if servers == 1 else 1,
        "requestVolume": 1,
    }
    policy = {
        "interval": f"{_SWEEP_S}s",
        "baseEjectionTime": "10s",
        "maxEjectionTime": "10s",
        "maxEjectionPercent": 50,
        "failurePercentageEjection": judged,
        "childPolicy": [{"round_robin": {}}],
    }
    return json.dumps({"loadBalancingConfig": [{"outlier_detection_experimental": policy}]})


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
    servers = endpoints(settings.url)
    if len(servers) > 1 or is_local(servers[0]):  # gRPC would ask the proxy for all of a list by one impossible name
        chosen.append(NO_PROXY)
    if settings.several:
        chosen.append(("grpc.service_config", _turns(len(servers))))
    if isinstance(settings.tls, Tls) and settings.tls.server_name is not None:
        chosen.append(("grpc.ssl_target_name_override", settings.tls.server_name))
    return chosen


def open_channel(target: str, settings: Settings, api: Any = grpc) -> Any:
    """Open a channel; nothing is sent before the first call.

    Args:
        target: gRPC's name of the server or servers.
        settings: How.
        api: ``grpc`` for threads, ``grpc.aio`` for event loops.
    """
    if not settings.tls:
        return api.insecure_channel(target, options=options(settings))
    tls = settings.tls if isinstance(settings.tls, Tls) else Tls()
    return api.secure_channel(target, tls.credentials(), options=options(settings))
