"""``Accept``: whether a caller takes the picture itself, or wants JSON around it."""

from __future__ import annotations

import re

_JSON = "application/json"
_QUALITY = re.compile(r";\s*q=(?P<value>[01](?:\.[0-9]{0,3})?)\s*(?:;|$)", re.IGNORECASE)


def wants_json(accept: str, media_type: str) -> bool:
    """Say whether a caller likes JSON better than the picture.

    Who likes both alike gets the picture: axios says ``application/json, text/plain, */*`` of everything that it
    fetches, and remove.bg's own example writes what comes to ``no-bg.png``.

    Args:
        accept: The header, empty where there is none.
        media_type: The picture's.
    """
    return _quality(accept, _JSON) > _quality(accept, media_type)


def _quality(accept: str, media_type: str) -> float:
    """Return how much a media type is liked, 0 to 1: what the range says that fits it most closely."""
    kind = media_type.partition("/")[0]
    liked = {part.partition(";")[0].strip().lower(): _value(part) for part in accept.split(",")}
    return next((liked[name] for name in (media_type, f"{kind}/*", "*/*") if name in liked), 0.0)


def _value(part: str) -> float:
    found = _QUALITY.search(part)
    return float(found["value"]) if found else 1.0
