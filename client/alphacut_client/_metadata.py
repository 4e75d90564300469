"""What travels beside a request: who asks, and which trace it belongs to."""

from __future__ import annotations

import importlib
import sys

from alphacut_client._secret import tell
from alphacut_client.settings import Settings

Metadata = tuple[tuple[str, str], ...]


def metadata(settings: Settings) -> Metadata:
    """Return the headers of one attempt."""
    headers: dict[str, str] = {}
    if settings.token is not None:
        headers["authorization"] = f"Bearer {tell(settings.token)}"
    if settings.api_key is not None:
        headers["x-api-key"] = tell(settings.api_key)
    _add_trace(headers)
    return tuple(headers.items())


def _add_trace(headers: dict[str, str]) -> None:
    """Add the active span, if there is one, in the format that the caller's OpenTelemetry is set to.

    A caller with a span has imported OpenTelemetry; without it nothing is.
    """
    if "opentelemetry.trace" in sys.modules:
        importlib.import_module("opentelemetry.propagate").inject(headers)
