"""Stage fetch: published weights onto this machine, once, whole and checked."""

from __future__ import annotations

import fcntl
import hashlib
import http.client
import os
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO

from alphacut_core.errors import EngineSourceError
from alphacut_engines.recipe import Download

_CHUNK_BYTES = 2**18
_ATTEMPTS = 5
_LONGEST_WAIT_S = 60.0
_BROKEN_LINES = (OSError, http.client.HTTPException)
_TRY_LATER = {408, 425, 429, 500, 502, 503, 504}
_RANGE_NOT_SATISFIABLE = 416
_PARTIAL_CONTENT = 206
_RANGE = re.compile(r"bytes (?P<start>\d+)-\d+/(?P<whole>\d+|\*)")
_FIRST_BYTES = b"\x08"
"""Of every ONNX file: the version of its format comes first. A page that a proxy sends begins otherwise."""

Progress = Callable[[int, int | None], None]


def cache_folder() -> Path:
    """Return where weights are kept: ``$ALPHACUT_HOME``, else ``alphacut`` in the user's cache."""
    home = os.environ.get("ALPHACUT_HOME")
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return (Path(home) if home else Path(cache) / "alphacut").expanduser() / "weights"


@dataclass(frozen=True, kw_only=True, slots=True)
class Fetcher:
    """Downloads into a folder. Several processes may share the folder.

    Attributes:
        folder: Where finished files are kept.
        mirror: Address of a folder with the same file names to take them from instead, or None.
        timeout_s: How long the line may be silent.
        wait: How to let time pass between attempts, in seconds.
    """

    folder: Path
    mirror: str | None
    timeout_s: float = 30.0
    wait: Callable[[float], None] = time.sleep

    def fetch(self, download: Download, progress: Progress) -> Path:
        """Return the path of the whole, checked file; what is there already is not loaded again.

        Args:
            download: What to load.
            progress: Called with bytes so far and in all, None where that is unknown.

        Raises:
            EngineSourceError: Not there, not allowed, unreachable, or not the published file.
        """
        path = self.folder / download.file
        url = f"{self.mirror.rstrip('/')}/{download.file}" if self.mirror else download.url
        if not url.startswith(("http://", "https://")):
            raise EngineSourceError(f"got the address {url}; only http and https are loaded; use --from-file for files")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with _alone(path.with_name(path.name + ".part")) as (part, file):
                if not (path.exists() and matches(path, download)):
                    self._load(url, download, file, progress)
                    _check(part, download, url)
                    part.replace(path)
        except OSError as error:
            raise EngineSourceError(
                f"stage fetch: cannot write {error.filename or path}: {error.strerror}; free space or set ALPHACUT_HOME"
            ) from error
        return path

    def _load(self, url: str, download: Download, file: BinaryIO, progress: Progress) -> None:
        """Append to ``file`` until it is whole, picking up after every break."""
        trouble, begun = "", _Begun()
        for attempt in range(_ATTEMPTS):
            try:
                self._attempt(url, download, file, begun, progress)
            except _InterruptedError as interruption:
                trouble = str(interruption)
                if attempt + 1 < _ATTEMPTS:
                    self.wait(min(interruption.pause_s or 2.0**attempt, _LONGEST_WAIT_S))
            else:
                return
        kept = "what has arrived is kept: " if download.checksum else ""
        raise EngineSourceError(
            f"stage fetch: {url} could not be loaded in {_ATTEMPTS} attempts ({trouble}); {kept}"
            f"try again, pass --mirror URL, or load {download.file} elsewhere and pass --from-file"
        )

    def _attempt(self, url: str, download: Download, file: BinaryIO, begun: _Begun, progress: Progress) -> None:
        # Only a checksum tells whether what an earlier run left, perhaps long ago, is of the file that is there now.
        arrived = file.seek(0, os.SEEK_END) if download.checksum or begun.version else _empty(file)
        with self._open(url, arrived, file) as response:
            if response.status == _PARTIAL_CONTENT:
                if not download.checksum and _version(response) != begun.version:
                    _empty(file)
                    raise _InterruptedError("the file was exchanged meanwhile")
                total = _whole_bytes(response, arrived, file) or download.size_bytes
            else:
                arrived, begun.version = _empty(file), _version(response)
                total = _length(response) or download.size_bytes
            while chunk := _read(response):
                file.write(chunk)
                file.flush()
                arrived += len(chunk)
                progress(arrived, total)
                if download.size_bytes is not None and arrived > download.size_bytes:
                    _empty(file)
                    raise EngineSourceError(
                        f"stage fetch: {url} is longer than the {download.size_bytes:,} bytes of {download.file}; "
                        "it is another file; pass --mirror URL or --from-file"
                    )
        if total is not None and arrived < total:
            raise _InterruptedError(f"the line ended after {arrived:,} of {total:,} bytes")

    def _open(self, url: str, start: int, file: BinaryIO) -> http.client.HTTPResponse:
        headers = {"User-Agent": "alphacut", **({"Range": f"bytes={start}-"} if start else {})}
        request = urllib.request.Request(url, headers=headers)  # noqa: S310  fetch() lets http and https in only
        try:
            opener = urllib.request.build_opener(_StaysEncrypted)
            response: http.client.HTTPResponse = opener.open(request, timeout=self.timeout_s)
        except urllib.error.HTTPError as error:
            with error:
                if error.code == _RANGE_NOT_SATISFIABLE:
                    _empty(file)
                elif error.code not in _TRY_LATER:
                    raise _refusal(url, error.code) from error
                raise _InterruptedError(f"HTTP {error.code}", _retry_after_s(error)) from error
        except _BROKEN_LINES as error:
            raise _InterruptedError(f"{type(error).__name__}: {error}") from error
        return response


class _StaysEncrypted(urllib.request.HTTPRedirectHandler):
    """Follows no redirection from where nobody can change what is sent to where anybody on the way can."""

    def redirect_request(  # noqa: PLR0917  urllib's signature
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        if urllib.parse.urlsplit(newurl).scheme not in (req.type, "https"):
            fp.close()
            raise EngineSourceError(
                f"stage fetch: {req.full_url} sends on to {newurl}, which is not encrypted; pass --mirror URL, or load "
                "it elsewhere and pass --from-file"
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)


@dataclass(slots=True)
class _Begun:
    """What is known of the file that this run has begun to load.

    Attributes:
        version: The server's own word for this content and no other, or None.
    """

    version: str | None = None


class _InterruptedError(Exception):
    """The file is not whole yet; another attempt may make it so."""

    def __init__(self, reason: str, pause_s: float | None = None) -> None:
        super().__init__(reason)
        self.pause_s = pause_s


def matches(path: Path, download: Download) -> bool:
    """Say whether the file is the published one, or where nobody states its checksum, one that may be."""
    with path.open("rb") as file:
        if download.checksum is None:
            return file.read(len(_FIRST_BYTES)) == _FIRST_BYTES
        algorithm, wanted = download.checksum.split(":")
        return _digest(file, algorithm) == wanted


def _digest(file: BinaryIO, algorithm: str) -> str:
    digest = hashlib.new(algorithm, usedforsecurity=False)
    while chunk := file.read(_CHUNK_BYTES):
        digest.update(chunk)
    return digest.hexdigest()


def _check(part: Path, download: Download, url: str) -> None:
    if not matches(part, download):
        size = part.stat().st_size
        part.unlink()
        wanted = f", whose checksum is {download.checksum}" if download.checksum else ": they are no ONNX file"
        raise EngineSourceError(
            f"stage fetch: the {size:,} bytes from {url} are not {download.file}{wanted}; they were thrown away: "
            "try again, pass --mirror URL, or pass --from-file"
        )


def _empty(file: BinaryIO) -> int:
    """Throw away what has arrived and return how much is left of it."""
    file.truncate(0)
    return file.seek(0)


def _version(response: http.client.HTTPResponse) -> str | None:
    """Return the strong ETag, the only one that promises the same bytes."""
    tag: str | None = response.headers.get("ETag")
    return tag if tag and tag.startswith('"') else None


def _length(response: http.client.HTTPResponse) -> int | None:
    """Return how long a whole answer is, or None where the server does not say."""
    if (stated := response.headers.get("Content-Length")) and response.length is None and not response.chunked:
        raise _InterruptedError(f"the server states a length of {stated[:20]!r}")
    return response.length


def _whole_bytes(response: http.client.HTTPResponse, start: int, file: BinaryIO) -> int | None:
    """Return how long the whole file is of which a part from ``start`` on comes, or None where that is unknown."""
    part = _RANGE.match(response.headers.get("Content-Range", ""))
    if part is None or int(part["start"]) != start:
        _empty(file)
        raise _InterruptedError("another part came than was asked for")
    return None if part["whole"] == "*" else int(part["whole"])


def _read(response: http.client.HTTPResponse) -> bytes:
    try:
        # read1 hands over what has arrived; read would wait for more and lose it when the line stalls.
        return response.read1(_CHUNK_BYTES)
    except _BROKEN_LINES as error:
        raise _InterruptedError(f"{type(error).__name__}: {error}") from error


def _refusal(url: str, status: int) -> EngineSourceError:
    reason = {403: "may not be loaded from here", 404: "is not there"}.get(status, "is refused")
    return EngineSourceError(
        f"stage fetch: {url} {reason} (HTTP {status}); pass --mirror URL, or load it elsewhere and pass --from-file"
    )


def _retry_after_s(error: urllib.error.HTTPError) -> float | None:
    seconds = error.headers.get("Retry-After", "")
    return float(seconds) if seconds.isdecimal() else None


@contextmanager
def _alone(part: Path) -> Iterator[tuple[Path, BinaryIO]]:
    """Open the unfinished file while no other process writes to it; an empty one is not left behind."""
    with _locked(part) as file:
        try:
            yield part, file
        finally:
            if part.exists() and part.stat().st_size == 0:
                part.unlink()


def _locked(part: Path) -> BinaryIO:
    """Wait for the file's lock; whoever had it may have moved the file away, so that another one is meant."""
    while True:
        file = part.open("ab")
        fcntl.flock(file, fcntl.LOCK_EX)
        if part.exists() and os.path.samestat(part.stat(), os.fstat(file.fileno())):
            return file
        file.close()
