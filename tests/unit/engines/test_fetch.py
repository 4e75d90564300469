"""Weights arrive whole over a line that breaks, stalls, lies, and sends elsewhere; or not at all, in words."""

from __future__ import annotations

import dataclasses
import hashlib
import ssl
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import trustme

from alphacut_core.errors import EngineSourceError
from alphacut_engines.fetch import Fetcher, cache_folder
from alphacut_engines.recipe import Download
from tests.serving import served

CONTENT = np.random.default_rng(0).bytes(1_000_000)
FILE = "network.onnx"

Behaviour = Callable[[BaseHTTPRequestHandler], None]


class Handler(BaseHTTPRequestHandler):
    """Answers each request by the next of the server's behaviours, the last one for ever."""

    def do_GET(self) -> None:
        self.server.requests.append((self.path, self.headers.get("Range")))
        behaviours = self.server.behaviours
        behaviour = behaviours.pop(0) if len(behaviours) > 1 else behaviours[0]
        behaviour(self)

    def log_message(self, *arguments: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    """A real server on a free port of this machine."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.behaviours: list[Behaviour] = [whole]
        self.requests: list[tuple[str, str | None]] = []
        self.release = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


def whole(handler: BaseHTTPRequestHandler, content: bytes = CONTENT, etag: str = "") -> None:
    """Send what was asked for, from where it was asked."""
    asked = handler.headers.get("Range")
    start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
    if start >= len(content):
        return status(416)(handler)
    handler.send_response(206 if asked else 200)
    if asked:
        handler.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
    if etag:
        handler.send_header("ETag", etag)
    handler.send_header("Content-Length", str(len(content) - start))
    handler.end_headers()
    handler.wfile.write(content[start:])
    return None


def ignoring_ranges(handler: BaseHTTPRequestHandler) -> None:
    """Send all of it, whatever was asked."""
    del handler.headers["Range"]
    whole(handler)


def short_range(handler: BaseHTTPRequestHandler) -> None:
    """Send 100,000 bytes of the rest that was asked for, as servers may."""
    send_range(handler, 400_000, 500_000)


def other_range(handler: BaseHTTPRequestHandler) -> None:
    """Send something else than what was asked for."""
    send_range(handler, 300_000, len(CONTENT))


def send_range(handler: BaseHTTPRequestHandler, start: int, end: int) -> None:
    handler.send_response(206)
    handler.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(CONTENT)}")
    handler.send_header("Content-Length", str(end - start))
    handler.end_headers()
    handler.wfile.write(CONTENT[start:end])


def truncated(handler: BaseHTTPRequestHandler, content: bytes = CONTENT, etag: str = "") -> None:
    """Promise all and hang up after 400,000 bytes."""
    handler.send_response(200)
    if etag:
        handler.send_header("ETag", etag)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content[:400_000])


def stalled(handler: BaseHTTPRequestHandler) -> None:
    """Send a part, then nothing until the test ends."""
    truncated(handler)
    handler.wfile.flush()
    handler.server.release.wait(30)


def corrupt(handler: BaseHTTPRequestHandler) -> None:
    whole(handler, bytes([CONTENT[0] ^ 1]) + CONTENT[1:])


def endless(handler: BaseHTTPRequestHandler) -> None:
    whole(handler, CONTENT + CONTENT)


def redirect(to: str) -> Behaviour:
    def behave(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(302)
        handler.send_header("Location", to)
        handler.end_headers()

    return behave


def status(code: int, **headers: str) -> Behaviour:
    def behave(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return behave


@pytest.fixture
def server() -> Iterator[Server]:
    with served(Server()) as running:
        yield running
        running.release.set()


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def fetcher(tmp_path: Path, pauses: list[float]) -> Fetcher:
    return Fetcher(folder=tmp_path / "weights", mirror=None, timeout_s=0.5, wait=pauses.append)


@pytest.fixture
def download(server: Server) -> Download:
    checksum = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"
    return Download(url=f"{server.url}/{FILE}", file=FILE, size_bytes=len(CONTENT), checksum=checksum)


def fetch(fetcher: Fetcher, download: Download) -> bytes:
    path = fetcher.fetch(download, lambda arrived, total: None)
    assert [entry.name for entry in fetcher.folder.iterdir()] == [FILE], "nothing unfinished lies about"
    return path.read_bytes()


def test_a_file_is_loaded_once(fetcher: Fetcher, server: Server, download: Download) -> None:
    assert fetch(fetcher, download) == CONTENT
    assert fetch(fetcher, download) == CONTENT
    assert len(server.requests) == 1


def test_progress_is_told(fetcher: Fetcher, download: Download) -> None:
    told: list[tuple[int, int | None]] = []
    fetcher.fetch(download, lambda arrived, total: told.append((arrived, total)))
    assert told == sorted(told)
    assert told[-1] == (len(CONTENT), len(CONTENT))


@pytest.mark.parametrize("broken", [truncated, stalled], ids=["truncated", "stalled"])
def test_a_broken_line_is_picked_up_where_it_broke(
    fetcher: Fetcher, server: Server, download: Download, broken: Behaviour
) -> None:
    server.behaviours = [broken, whole]
    assert fetch(fetcher, download) == CONTENT
    assert server.requests[1][1] == "bytes=400000-"


def test_a_later_run_picks_up_what_an_earlier_one_left(fetcher: Fetcher, server: Server, download: Download) -> None:
    fetcher.folder.mkdir()
    (fetcher.folder / f"{FILE}.part").write_bytes(CONTENT[:123_456])
    assert fetch(fetcher, download) == CONTENT
    assert server.requests == [(f"/{FILE}", "bytes=123456-")]


def test_a_server_that_cannot_continue_starts_anew(fetcher: Fetcher, server: Server, download: Download) -> None:
    server.behaviours = [truncated, ignoring_ranges]
    assert fetch(fetcher, download) == CONTENT


def test_a_server_that_hands_out_short_ranges_is_asked_on(fetcher: Fetcher, server: Server, download: Download) -> None:
    server.behaviours = [truncated, short_range, whole]
    assert fetch(fetcher, download) == CONTENT
    assert [asked for _, asked in server.requests] == [None, "bytes=400000-", "bytes=500000-"]


def test_a_part_that_was_not_asked_for_is_not_taken_for_the_whole(
    fetcher: Fetcher, server: Server, download: Download
) -> None:
    server.behaviours = [truncated, other_range, whole]
    assert fetch(fetcher, download) == CONTENT
    assert [asked for _, asked in server.requests] == [None, "bytes=400000-", None]


def test_without_a_checksum_no_file_is_put_together_from_two(
    fetcher: Fetcher, server: Server, download: Download
) -> None:
    unchecked = dataclasses.replace(download, checksum=None, size_bytes=None)
    published = b"\x08" + CONTENT
    fetcher.folder.mkdir()
    (fetcher.folder / f"{FILE}.part").write_bytes(b"\x08of the month before")
    server.behaviours = [partial(whole, content=published)]
    assert fetch(fetcher, unchecked) == published


@pytest.mark.parametrize(
    ("tags", "asked"),
    [
        (('"v1"', '"v1"'), [None, "bytes=400000-"]),
        (('"v1"', '"v2"'), [None, "bytes=400000-", None]),
        (('W/"v1"', 'W/"v1"'), [None, None]),
        (("", ""), [None, None]),
    ],
    ids=["same", "exchanged", "weak", "none"],
)
def test_without_a_checksum_a_broken_line_is_picked_up_if_the_server_says_that_the_file_is_the_same(
    fetcher: Fetcher, server: Server, download: Download, tags: tuple[str, str], asked: list[str | None]
) -> None:
    unchecked = dataclasses.replace(download, checksum=None, size_bytes=None)
    first, then = tags
    old, new = b"\x08" + b"a" * 1_000_000, b"\x08" + (b"b" if first != then else b"a") * 1_000_000
    server.behaviours = [partial(truncated, content=old, etag=first), partial(whole, content=new, etag=then)]
    assert fetch(fetcher, unchecked) == new
    assert [one for _, one in server.requests] == asked


@pytest.mark.parametrize("length", ["garbage", "-1", "9" * 5000], ids=["words", "negative", "too many digits"])
def test_a_length_that_is_no_number_is_told(fetcher: Fetcher, server: Server, download: Download, length: str) -> None:
    def behave(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", length)
        handler.end_headers()

    server.behaviours = [behave]
    with pytest.raises(EngineSourceError, match=rf"5 attempts.*a length of '{length[:20]}'.*--mirror URL"):
        fetch(fetcher, download)


def test_a_redirection_out_of_encryption_is_refused(
    fetcher: Fetcher, server: Server, download: Download, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    encrypted = Server()
    encrypted.socket = context.wrap_socket(encrypted.socket, server_side=True)
    encrypted.behaviours = [redirect(f"{server.url}/{FILE}")]
    with served(encrypted):
        url = f"https://127.0.0.1:{encrypted.server_port}/{FILE}"
        with pytest.raises(EngineSourceError, match=r"https://.* sends on to http://.*--from-file"):
            fetch(fetcher, dataclasses.replace(download, url=url))
    assert server.requests == []


def test_leftovers_longer_than_the_file_are_thrown_away(fetcher: Fetcher, server: Server, download: Download) -> None:
    fetcher.folder.mkdir()
    (fetcher.folder / f"{FILE}.part").write_bytes(CONTENT * 2)
    assert fetch(fetcher, download) == CONTENT
    assert len(server.requests) == 2


def test_a_line_that_always_breaks_is_given_up_and_what_arrived_is_kept(
    fetcher: Fetcher, server: Server, download: Download, pauses: list[float]
) -> None:
    server.behaviours = [truncated]
    with pytest.raises(EngineSourceError, match=r"5 attempts.*400,000 of 1,000,000.*--mirror URL.*--from-file"):
        fetch(fetcher, download)
    assert pauses == [1, 2, 4, 8], "each pause is longer"
    assert (fetcher.folder / f"{FILE}.part").stat().st_size == 400_000


def test_a_corrupted_file_is_refused_and_not_kept(fetcher: Fetcher, server: Server, download: Download) -> None:
    server.behaviours = [corrupt]
    with pytest.raises(EngineSourceError, match=r"1,000,000 bytes from http.* are not network\.onnx.*thrown away"):
        fetch(fetcher, download)
    assert not list(fetcher.folder.iterdir())


def test_a_file_longer_than_published_is_cut_short(fetcher: Fetcher, server: Server, download: Download) -> None:
    server.behaviours = [endless]
    with pytest.raises(EngineSourceError, match="longer than the 1,000,000 bytes"):
        fetch(fetcher, download)


def test_a_damaged_cached_file_is_loaded_anew(fetcher: Fetcher, download: Download) -> None:
    fetcher.folder.mkdir()
    (fetcher.folder / FILE).write_bytes(b"damaged")
    assert fetch(fetcher, download) == CONTENT


def test_redirections_are_followed(fetcher: Fetcher, server: Server, download: Download) -> None:
    server.behaviours = [redirect(f"{server.url}/elsewhere"), whole]
    assert fetch(fetcher, download) == CONTENT
    assert [path for path, _ in server.requests] == [f"/{FILE}", "/elsewhere"]


def test_redirections_in_a_circle_end(fetcher: Fetcher, server: Server, download: Download) -> None:
    server.behaviours = [redirect(f"{server.url}/{FILE}")]
    with pytest.raises(EngineSourceError, match="HTTP 302"):
        fetch(fetcher, download)


@pytest.mark.parametrize(("code", "reason"), [(403, "may not be loaded"), (404, "is not there"), (451, "is refused")])
def test_a_refusal_names_address_and_remedy_at_once(
    fetcher: Fetcher, server: Server, download: Download, code: int, reason: str
) -> None:
    server.behaviours = [status(code)]
    with pytest.raises(EngineSourceError, match=rf"{download.url} {reason}.*HTTP {code}.*--mirror URL"):
        fetch(fetcher, download)
    assert len(server.requests) == 1
    assert not list(fetcher.folder.iterdir())


def test_a_busy_server_is_asked_again_when_it_says(
    fetcher: Fetcher, server: Server, download: Download, pauses: list[float]
) -> None:
    server.behaviours = [
        status(429, Retry_After="7"),
        status(503, Retry_After="100000"),
        status(503, Retry_After="\xb2"),
        whole,
    ]
    assert fetch(fetcher, download) == CONTENT
    assert pauses == [7, 60, 4], "no server makes us wait for a day, or for what is no number"


def test_nobody_there_is_said(fetcher: Fetcher, server: Server, download: Download) -> None:
    server.server_close()
    with pytest.raises(EngineSourceError, match="refused"):
        fetch(fetcher, download)


def test_a_mirror_is_asked_for_the_same_file_name(server: Server, download: Download, tmp_path: Path) -> None:
    mirrored = Fetcher(folder=tmp_path / "weights", mirror=f"{server.url}/mirror/", timeout_s=0.5)
    elsewhere = Download(
        url="https://192.0.2.1/", file=FILE, size_bytes=download.size_bytes, checksum=download.checksum
    )
    assert fetch(mirrored, elsewhere) == CONTENT
    assert server.requests[0][0] == f"/mirror/{FILE}"


def test_other_schemes_are_refused(fetcher: Fetcher) -> None:
    with pytest.raises(EngineSourceError, match="only http and https"):
        fetch(fetcher, Download(url="file:///etc/passwd", file=FILE, size_bytes=None, checksum=None))


def test_two_at_once_load_it_once(fetcher: Fetcher, server: Server, download: Download) -> None:
    outcomes: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: outcomes.append(fetcher.fetch(download, lambda *_: None).read_bytes()))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == [CONTENT] * 4
    assert len(server.requests) == 1


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path, download: Download) -> None:
    (tmp_path / "file").write_text("in the way")
    blocked = Fetcher(folder=tmp_path / "file" / "weights", mirror=None)
    with pytest.raises(EngineSourceError, match=r"cannot write .*file.*ALPHACUT_HOME"):
        fetch(blocked, download)


def test_the_cache_is_where_the_user_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    monkeypatch.delenv("ALPHACUT_HOME", raising=False)
    assert cache_folder() == Path("/somewhere/alphacut/weights")
    monkeypatch.setenv("ALPHACUT_HOME", "/elsewhere")
    assert cache_folder() == Path("/elsewhere/weights")
