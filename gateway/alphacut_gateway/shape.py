"""How errors look: one shape for all paths, but remove.bg's own on its paths."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from starlette.responses import JSONResponse

_REMOVEBG = "/v1.0/"


def error(path: str, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """Return an error in the shape of the path that was asked for, whether there is such a path or not."""
    if path.startswith(_REMOVEBG):
        return removebg(status, HTTPStatus(status).phrase.capitalize(), code.replace("-", "_"), message, headers)
    return JSONResponse({"error": {"code": code, "message": message}}, status, headers)


def removebg(status: int, title: str, code: str, detail: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """Return an error in remove.bg's shape."""
    return JSONResponse({"errors": [{"title": title, "code": code, "detail": detail}]}, status, headers)
