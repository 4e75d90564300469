"""The web page: files of this package, read once, and nothing else from any disk."""

from __future__ import annotations

from importlib import resources

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from alphacut_gateway import etag

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
_TAGS = {name: etag.of(content) for name, content in _FILES.items()}


@router.api_route("/", methods=_METHODS)
async def page(request: Request) -> Response:
    """Return the page."""
    return _file(request, "index.html")


@router.api_route("/docs", methods=_METHODS)
async def docs(request: Request) -> Response:
    """Return the API's description for people."""
    return _file(request, "docs.html")


@router.api_route("/assets/{name}", methods=_METHODS)
async def asset(request: Request, name: str) -> Response:
    """Return one of the page's files; the name is looked up among them and is no path."""
    if name not in _FILES:
        raise HTTPException(404, "there is no such file")
    return _file(request, name)


def _file(request: Request, name: str) -> Response:
    headers = {**_HEADERS, "ETag": _TAGS[name]}
    if etag.known(request.headers, _TAGS[name]):
        return Response(status_code=304, headers=headers)
    return Response(_FILES[name], media_type=_MEDIA_TYPES[name.rpartition(".")[2]], headers=headers)
