"""What travels beside a request: who asks, and which trace it belongs to."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alphacut_client.settings import Secret, Settings

Metadata = tuple[tuple[str, str], ...]


def metadata(settings: Settings) -> Metadata:
    """Return the headers of one attempt."""
    headers: dict[str, str] = {}
    if settings.token is not None:
        headers["authorization"] = f"Bearer {_told(settings.token)}"
    if settings.api_key is not None:
        headers["x-api-key"] = _told(settings.api_key)
    _add_trace(headers)
    return tuple(headers.items())


def check_secret(text: object) -> None:
    """Refuse a token or API key that cannot be a header's value; the message does not tell it.

    Raises:
        ValueError: It is no text of printable ASCII characters.
    """
    if not (isinstance(text, str) and text.isascii() and text.isprintable()):
        raise ValueError(
            "got a token or API key that cannot be sent; allowed are texts of printable ASCII characters, so strip the "
            "line break that a file ends with"
        )


def _told(secret: Secret) -> str:
    if isinstance(secret, str):  # checked with the settings
        return secret
    text = secret()
    check_secret(text)
    return text


def _add_trace(headers: dict[str, str]) -> None:
    """Add the active span, if there is one, in the format that the caller's OpenTelemetry is set to.

    A caller with a span has imported OpenTelemetry; without it nothing is.
    """
    if "opentelemetry.trace" in sys.modules:
        importlib.import_module("opentelemetry.propagate").inject(headers)
