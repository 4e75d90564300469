"""Request bodies: counted while they arrive, and never larger in memory than they may be."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from fastapi import Request

from alphacut_core.errors import ImageTooLargeError, UnsupportedImageError
from alphacut_gateway import multipart
from alphacut_gateway.refusals import MalformedRequestError, SlowUploadError

_FORM_OVERHEAD = 64 * 1024
_MAX_FILES = 4
_MAX_FIELDS = 64
_MAX_ESCAPES = 1_000_000
_MAX_JSON_MARKS = 1_000


@dataclass(frozen=True, slots=True)
class Upload:
    """A body, taken apart.

    Attributes:
        fields: Text fields by name; of several with one name the last.
        files: File contents by name. File names are not kept.
        raw: The body itself where it is no form; None where it is.
        many: Where many files were expected: all of them, in order, by their file names instead.
    """

    fields: dict[str, str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    raw: bytes | None = None
    many: list[tuple[str, bytes]] = field(default_factory=list)


def announced_bytes(request: Request, max_bytes: int) -> int:
    """Return how large the body is according to its header, or may become if there is none.

    Raises:
        ImageTooLargeError: Larger than allowed; nothing has been read.
        MalformedRequestError: The header is no number.
    """
    announced = request.headers.get("content-length")
    if announced is None:
        return max_bytes
    if not announced.isascii() or not announced.isdigit():
        raise MalformedRequestError(f"got Content-Length: {announced[:40]!r}; send a number")
    if int(announced) > max_bytes + _FORM_OVERHEAD:
        raise ImageTooLargeError(
            f"got a body of {int(announced):,} bytes; at most {max_bytes:,} are accepted; "
            "send a smaller or more strongly compressed image"
        )
    return int(announced)


async def read(
    request: Request, max_bytes: int, timeout_s: float, *, text_forms: bool = False, max_many: int = 0
) -> Upload:
    """Read a body: multipart, or where they are expected a form of text or a JSON object, or anything else raw.

    Args:
        request: Its headers have been judged, its body not been read.
        max_bytes: Largest body.
        timeout_s: How long it may take to arrive.
        text_forms: Whether a body that calls itself JSON or ``application/x-www-form-urlencoded`` is believed. ``curl
            --data-binary @photo.jpg`` says the latter of photographs.
        max_many: How many files a form may have, each under a file name of its own; 0 for few, each under a name of
            its own in the form.

    Raises:
        ImageTooLargeError: It grew over ``max_bytes`` on the way.
        SlowUploadError: It took longer than ``timeout_s``.
        MalformedRequestError: It is not what its Content-Type says.
        UnsupportedImageError: Its Content-Encoding is not supported.
    """
    encoding = request.headers.get("content-encoding", "identity")
    if encoding.lower() != "identity":
        raise UnsupportedImageError(f"got Content-Encoding: {encoding[:40]!r}; send the body as it is")
    announced_bytes(request, max_bytes)
    try:
        return await asyncio.wait_for(_parse(request, max_bytes + _FORM_OVERHEAD, text_forms, max_many), timeout_s)
    except asyncio.TimeoutError as error:
        raise SlowUploadError(f"the body did not arrive within {timeout_s:g} s; send it again, faster") from error


async def _parse(request: Request, max_bytes: int, text_forms: bool, max_many: int) -> Upload:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        return await _multipart(request, max_bytes, max_many)
    content = b"".join([chunk async for chunk in _counted(request, max_bytes)])
    if text_forms and kind == "application/x-www-form-urlencoded":
        return Upload(fields=await asyncio.to_thread(_urlencoded, content))
    if text_forms and kind == "application/json":
        return Upload(fields=_json(content))
    return Upload(raw=content)


async def _counted(request: Request, max_bytes: int) -> AsyncGenerator[bytes, None]:
    n_bytes = 0
    async for chunk in request.stream():
        n_bytes += len(chunk)
        if n_bytes > max_bytes:
            raise ImageTooLargeError(
                f"got a body of more than {max_bytes:,} bytes; send a smaller or more strongly compressed image"
            )
        yield chunk


async def _multipart(request: Request, max_bytes: int, max_many: int) -> Upload:
    form = await multipart.parse(
        request.headers,
        _counted(request, max_bytes),
        max_bytes=max_bytes,
        max_files=max_many or _MAX_FILES,
        max_fields=_MAX_FIELDS,
    )
    upload = Upload()
    try:
        for name, value in form.multi_items():
            if isinstance(value, str):
                upload.fields[name] = value
            elif max_many:
                upload.many.append((value.filename or "", await value.read()))
            elif name in upload.files:
                raise MalformedRequestError(f"got the file {name[:40]!r} twice; send one image a request")
            else:
                upload.files[name] = await value.read()
    finally:
        await form.close()
    return upload


def _urlencoded(content: bytes) -> dict[str, str]:
    if content.count(b"%") > _MAX_ESCAPES:
        # Each becomes an object of its own. Of base64, one letter in thirty is written so.
        raise MalformedRequestError(
            f"got a form with more than {_MAX_ESCAPES:,} letters written as %XX; send it as multipart/form-data"
        )
    try:
        text = content.decode().strip("&")  # some clients end every field with one
        return dict(parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text), max_num_fields=_MAX_FIELDS))
    except ValueError as error:
        raise MalformedRequestError(f"got a form that cannot be read ({error})") from error


def _json(content: bytes) -> dict[str, str]:
    # Nobody else is served while JSON is read, in whichever thread, and each value costs many times its bytes.
    if sum(map(content.count, (b"[", b"{", b","))) > _MAX_JSON_MARKS:
        raise MalformedRequestError(f"got JSON with more than {_MAX_JSON_MARKS:,} values; send one flat object")
    try:
        values = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise MalformedRequestError(f"got a body that is not JSON ({type(error).__name__})") from error
    if not isinstance(values, dict):
        raise MalformedRequestError(f"got JSON of type {type(values).__name__}; send an object")
    fields = {name: _plain(name, value) for name, value in values.items() if value is not None}
    try:
        "".join([*fields, *fields.values()]).encode()
    except UnicodeEncodeError as error:
        raise MalformedRequestError("got JSON with half a surrogate pair; send whole characters") from error
    return fields


def _plain(name: str, value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int, float)):
        return str(value)
    raise MalformedRequestError(f"got {name[:40]!r} as {type(value).__name__}; send text, a number, true or false")
