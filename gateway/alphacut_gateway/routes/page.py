"""The web page: files of this package, read once, and nothing else from any disk."""

from __future__ import annotations

from importlib import resources

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.responses import Response

router = APIRouter(include_in_schema=False)

_METHODS = ["GET", "HEAD"]
_MEDIA_TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-cache",
}


_FILES = {file.name: file.read_bytes() for file in (resources.files("alphacut_gateway") / "page").iterdir()}


@router.api_route("/", methods=_METHODS)
async def page() -> Response:
    """Return the page."""
    return _file("index.html")


@router.api_route("/docs", methods=_METHODS)
async def docs() -> Response:
    """Return the API's description for people."""
    return _file("docs.html")


@router.api_route("/assets/{name}", methods=_METHODS)
async def asset(name: str) -> Response:
    """Return one of the page's files; the name is looked up among them and is no path."""
    if name not in _FILES:
        raise HTTPException(404, "there is no such file")
    return _file(name)


def _file(name: str) -> Response:
    return Response(_FILES[name], media_type=_MEDIA_TYPES[name.rpartition(".")[2]], headers=_HEADERS)
