"""Multipart forms, parsed so that no part's head can keep everybody waiting."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import ExitStack

from python_multipart.multipart import parse_options_header
from starlette.datastructures import FormData, Headers
from starlette.formparsers import MultiPartException, MultiPartParser

from alphacut_gateway.refusals import MalformedRequestError

_MAX_HEAD_BYTES = 4 * 1024
_LINE_BYTES = 32
_MAX_PARAMETERS = 32
# Python knows charsets whose decoding takes minutes for a small body, and charsets that only fail.
_CHARSETS = frozenset({b"utf-8", b"utf8", b"us-ascii", b"ascii", b"iso-8859-1", b"latin-1", b"latin1"})


async def parse(
    headers: Headers, chunks: AsyncGenerator[bytes, None], *, max_bytes: int, max_files: int, max_fields: int
) -> FormData:
    """Read a body that calls itself ``multipart/form-data``; nothing of it is written to a disk.

    Args:
        headers: The request's.
        chunks: The body, ``max_bytes`` at most.
        max_bytes: Largest part.
        max_files: Most files.
        max_fields: Most fields of text.

    Raises:
        MalformedRequestError: It is no such form, or its parts have long heads.
    """
    charset = parse_options_header(headers["content-type"])[1].get(b"charset", b"utf-8")
    if charset.lower() not in _CHARSETS:
        raise MalformedRequestError(f"got a form in the charset {charset[:40]!r}; send it in utf-8")
    parser = _Parser(
        headers, _without_line_ends(chunks), max_files=max_files, max_fields=max_fields, max_part_size=max_bytes
    )
    parser.spool_max_size = max_bytes + 1
    try:
        with ExitStack() as stack:
            stack.callback(parser.close)
            form = await parser.parse()
            if parser.within_part:
                raise MultiPartException("it ends within a part; send the closing boundary too")
            stack.pop_all()
        return form
    except MultiPartException as error:
        raise MalformedRequestError(f"got a multipart body that cannot be read ({error.message})") from error
    except ValueError as error:  # the parser's own errors, and text in another charset, are such
        raise MalformedRequestError(f"got a multipart body that cannot be read ({error})") from error


class _Parser(MultiPartParser):
    """Starlette's, which looks at every byte of a head in Python, and copies those that came before each chunk."""

    _head_bytes = 0

    @property
    def within_part(self) -> bool:
        """Whether a part has begun and not ended; Starlette's leaves it out without a word."""
        return self._head_bytes > 0

    def on_part_begin(self) -> None:
        super().on_part_begin()
        self._head_bytes = 0

    def on_part_end(self) -> None:
        super().on_part_end()
        self._head_bytes = 0

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._count(end - start)
        super().on_header_field(data, start, end)

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._count(end - start)
        super().on_header_value(data, start, end)

    def on_header_end(self) -> None:
        self._count(_LINE_BYTES)  # a line costs something, however short it is
        super().on_header_end()

    def on_headers_finished(self) -> None:
        if (self._current_part.content_disposition or b"").count(b";") > _MAX_PARAMETERS:
            raise MultiPartException(f"a part has more than {_MAX_PARAMETERS} parameters; send fewer")
        super().on_headers_finished()

    def close(self) -> None:
        """Close what has come of files, which Starlette's does for errors of its own alone."""
        for file in self._files_to_close_on_error:
            file.close()

    def _count(self, n_bytes: int) -> None:
        self._head_bytes += n_bytes
        if self._head_bytes > _MAX_HEAD_BYTES:
            raise MultiPartException(f"a part's headers exceed {_MAX_HEAD_BYTES:,} bytes; send fewer")


async def _without_line_ends(chunks: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """Leave out what may stand before the first part, of which the parser looks at every byte too."""
    begun = False
    async for chunk in chunks:
        rest = chunk if begun else chunk.lstrip(b"\r\n")
        begun = begun or bool(rest)
        if rest:
            yield rest
