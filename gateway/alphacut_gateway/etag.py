"""What a caller has already: entity tags, and the header that names them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

PARAMETER = {
    "name": "If-None-Match",
    "in": "header",
    "schema": {"type": "string"},
    "description": "`ETag` of an answer that the caller has; it is 304 if it would be the same.",
}
"""The header in OpenAPI's words."""


def of(content: bytes) -> str:
    """Return the tag of what ``content`` determines."""
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'


def known(headers: Mapping[str, str], tag: str) -> bool:
    """Say whether a request's ``If-None-Match`` names a tag."""
    tags = [each.strip().removeprefix("W/") for each in headers.get("if-none-match", "").split(",")]
    return tag in tags or tags == ["*"]
