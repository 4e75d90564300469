"""How the OpenAPI document says that keys are sent; ``alphacut_gateway.keys`` reads them."""

from __future__ import annotations

from fastapi import Security
from fastapi.security import APIKeyHeader, HTTPBearer

_WHEN = "Wanted where the gateway has keys configured, and always by remove.bg's paths."

KEY = (
    Security(APIKeyHeader(name="X-API-Key", auto_error=False, description=_WHEN)),
    Security(HTTPBearer(auto_error=False, description=_WHEN)),
)
"""Dependencies of routes that look at the key; either way of sending it will do."""
