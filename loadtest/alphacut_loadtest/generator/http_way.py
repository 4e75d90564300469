"""The gateway's ``POST /remove`` over connections that stay open."""

from __future__ import annotations

import os
from urllib.parse import urlencode, urlsplit

import gevent.socket
from geventhttpclient import HTTPClient
from geventhttpclient.response import HTTPParseError

from alphacut_core.errors import InvalidOptionError
from alphacut_loadtest.generator.outcome import Outcome, of_status
from alphacut_loadtest.generator.way import Reply, Way
from alphacut_loadtest.traffic.corpus import Ask
from alphacut_loadtest.traffic.mix import RENDERED_FORMAT

MAX_CONNECTIONS = 2000
KEY_VARIABLE = "ALPHACUT_API_KEY"
"""Of the environment, which processes that send inherit and no list of processes shows."""
_AUTHORITIES_VARIABLE = "SSL_CERT_FILE"  # OpenSSL's own


class HttpWay(Way):
    """One pool of connections, with the key in ``$ALPHACUT_API_KEY`` where there is one.

    Args:
        url: Address of the gateway, such as ``http://127.0.0.1:8080``, or below a path of a proxy's. Of ``https://``
            it has to be proven to the usual authorities, or to those in ``$SSL_CERT_FILE``.
        timeout_s: For connecting, and for each wait for bytes.

    Raises:
        InvalidOptionError: The key cannot be sent.
    """

    def __init__(self, url: str, timeout_s: float) -> None:
        authorities = os.environ.get(_AUTHORITIES_VARIABLE)
        self._http = HTTPClient.from_url(
            url,
            concurrency=MAX_CONNECTIONS,
            connection_timeout=timeout_s,
            network_timeout=timeout_s,
            ssl_options={"ca_certs": authorities} if authorities else {},
        )
        self._path = f"{urlsplit(url).path.rstrip('/')}/remove"
        self._headers = {"Content-Type": "application/octet-stream", **_key()}

    def send(self, ask: Ask) -> Reply:
        """Upload the file as the body."""
        query: dict[str, str] = {"output": ask.answer, "format": "png" if ask.answer == "mask" else RENDERED_FORMAT}
        if ask.mode != "full":
            query["mode"] = ask.mode
        if ask.decode != "exact":
            query["decode"] = ask.decode
        try:
            response = self._http.post(f"{self._path}?{urlencode(query)}", body=ask.data, headers=self._headers)
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


def _key() -> dict[str, str]:
    key = os.environ.get(KEY_VARIABLE, "")
    if not (key.isascii() and key.isprintable()):
        raise InvalidOptionError(
            f"got ${KEY_VARIABLE} that cannot be sent; give printable ASCII characters, without a line break at the end"
        )
    return {"x-api-key": key} if key else {}
