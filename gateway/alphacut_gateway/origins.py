"""Origins of web pages as browsers send them, which are compared letter by letter."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://(?:[a-z0-9_.-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")
_ANY = ("*", "null")
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


def check(origin: str) -> None:
    """Refuse what no browser sends, and what would therefore never match.

    Raises:
        ValueError: It is no origin, or not written as browsers write it.
    """
    if origin in _ANY or origin == _as_sent(origin):
        return
    sent = _as_sent(origin)
    advice = (
        f"give {sent}" if sent else "give scheme, host and port as in https://tools.example:8443, or * for any page"
    )
    raise ValueError(f"got cors_origins={origin!r}, which no browser sends; {advice}")


def _as_sent(text: str) -> str | None:
    try:
        parts = urlsplit(text)
        origin = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}".lower()
    except ValueError:
        return None
    if not _ORIGIN.fullmatch(origin):
        return None
    return origin.removesuffix(_DEFAULT_PORTS.get(parts.scheme, ""))
