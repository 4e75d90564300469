"""The gateway's ``POST /remove`` over connections that stay open."""

from __future__ import annotations

from urllib.parse import urlencode

import gevent.socket
from geventhttpclient import HTTPClient
from geventhttpclient.response import HTTPParseError

from alphacut_loadtest.generator.outcome import Outcome, of_status
from alphacut_loadtest.generator.way import Reply, Way
from alphacut_loadtest.traffic.corpus import Ask
from alphacut_loadtest.traffic.mix import RENDERED_FORMAT

MAX_CONNECTIONS = 2000


class HttpWay(Way):
    """One pool of connections.

    Args:
        url: Address of the gateway, such as ``http://127.0.0.1:8080``.
        timeout_s: For connecting, and for each wait for bytes.
    """

    def __init__(self, url: str, timeout_s: float) -> None:
        self._http = HTTPClient.from_url(
            url, concurrency=MAX_CONNECTIONS, connection_timeout=timeout_s, network_timeout=timeout_s
        )

    def send(self, ask: Ask) -> Reply:
        """Upload the file as the body."""
        query: dict[str, str] = {"output": ask.answer, "format": "png" if ask.answer == "mask" else RENDERED_FORMAT}
        if ask.mode != "full":
            query["mode"] = ask.mode
        if ask.decode != "exact":
            query["decode"] = ask.decode
        headers = {"Content-Type": "application/octet-stream"}
        try:
            response = self._http.post(f"/remove?{urlencode(query)}", body=ask.data, headers=headers)
            content = response.read()
        except gevent.socket.timeout as error:
            return Reply(Outcome.LATE, 0, str(error))
        except (OSError, HTTPParseError) as error:
            return Reply(Outcome.UNAVAILABLE, 0, f"{type(error).__name__}: {error}")
        outcome = of_status(response.status_code)
        words = "" if outcome is Outcome.ANSWERED else f"HTTP {response.status_code} {bytes(content[:200])!r}"
        return Reply(outcome, len(content), words)

    def close(self) -> None:
        """Close all connections."""
        self._http.close()
