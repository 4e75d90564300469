"""Addresses that callers name: which may be called, and that no trick calls another."""

from __future__ import annotations

import asyncio
import http.server
import ipaddress
import socket
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from alphacut_gateway import Settings
from alphacut_gateway.fetching.allowed import Allowed
from alphacut_gateway.fetching.calling import Caller
from alphacut_gateway.refusals import AddressError
from tests.serving import served

PRIVATE = [
    "127.0.0.1",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",  # where clouds keep credentials
    "100.64.0.1",
    "0.0.0.0",  # noqa: S104  what is refused
    "224.0.0.1",
    "255.255.255.255",
    "192.0.2.1",
    "::1",
    "::",
    "fe80::1",
    "fc00::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "fec0::1",  # site-local, before fc00::/7
    "64:ff9b:1::a00:1",  # NAT64 of one's own network
    "::ffff:0:127.0.0.1",
    "::127.0.0.1",
]
MALFORMED = [
    "file:///etc/passwd",
    "gopher://images.test/",
    "ftp://images.test/a",
    "images.test/a.png",
    "http://",
    "http://user:secret@images.test/",
    "http://images.test:port/",
    "http://images.test/a b",
    "http://images.test\\@evil.test/",
    "http://[::1",
    "http://images.test/\r\nX-Header:1",
    "http://images.test/\x7f",
    "http://images.test/" + "a" * 2048,
    "http://images.tést/",
    "",
]
ELSEWHERE = [
    "http://evil.test/",
    "http://images.test.evil.test/",
    "http://evilimages.test/",
    "http://127.0.0.1/",
    "http://2130706433/",
    "http://0x7f.1/",
    "http://[::1]/",
    "http://images.test:22/",
    "http://images.test@evil.test/",
]


class Site(http.server.ThreadingHTTPServer):
    """A site with pictures, redirects and worse."""

    def __init__(self, photo: bytes) -> None:
        super().__init__(("127.0.0.1", 0), _Page)
        self.photo = photo
        self.release = threading.Event()
        self.asked: list[tuple[str, str]] = []

    @property
    def entry(self) -> str:
        return f"localhost:{self.server_port}@127.0.0.0/8"

    def url(self, path: str) -> str:
        return f"http://localhost:{self.server_port}/{path}"


class _Page(http.server.BaseHTTPRequestHandler):
    server: Site

    def do_GET(self) -> None:
        self.server.asked.append((self.path, self.headers["Host"]))
        kind, _, rest = self.path[1:].partition("/")
        getattr(self, kind)(rest)

    def photo(self, _rest: str) -> None:
        self._answer(200, self.server.photo)

    def to(self, rest: str) -> None:
        self._answer(302, b"", Location=rest)

    def round(self, _rest: str) -> None:
        self._answer(302, b"", Location="/round/again")

    def gone(self, _rest: str) -> None:
        self._answer(404, b"")

    def zipped(self, _rest: str) -> None:
        self._answer(200, b"x", **{"Content-Encoding": "gzip"})

    def endless(self, _rest: str) -> None:
        self.send_response(200)
        self.end_headers()
        try:
            while not self.server.release.is_set():
                self.wfile.write(bytes(10_000))
        except OSError:
            return

    def never(self, _rest: str) -> None:
        self.server.release.wait(60)

    def _answer(self, status: int, content: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def site(photo: bytes) -> Iterator[Site]:
    with served(Site(photo)) as running:
        yield running
        running.release.set()


def fetched(entry: str, url: str, max_bytes: int = 1_000_000, timeout_s: float = 30.0) -> bytes:
    return asyncio.run(Caller(Allowed((entry,)), timeout_s).get(url, max_bytes))


@pytest.mark.parametrize("address", PRIVATE)
def test_a_listed_name_is_not_called_where_only_this_network_is(address: str) -> None:
    _, entry = Allowed(("images.test",)).check("https://images.test/a.png")
    assert not entry.admits(ipaddress.ip_address(address))
    assert entry.admits(ipaddress.ip_address("93.184.215.14"))
    assert entry.admits(ipaddress.ip_address("2606:2800:21f:cb07:6820:80da:af6b:8b2c"))


def test_an_ipv4_address_within_an_ipv6_one_is_judged_as_what_it_is() -> None:
    _, private = Allowed(("hooks.test@10.0.0.0/8",)).check("https://hooks.test/")
    assert private.admits(ipaddress.ip_address("::ffff:10.1.2.3"))
    assert not private.admits(ipaddress.ip_address("::ffff:11.1.2.3"))
    _, public = Allowed(("hooks.test",)).check("https://hooks.test/")
    assert public.admits(ipaddress.ip_address("::ffff:93.184.215.14"))


@pytest.mark.parametrize("url", MALFORMED)
def test_what_is_no_address_of_http_is_called_malformed(url: str) -> None:
    with pytest.raises(AddressError) as refused:
        Allowed(("images.test",)).check(url)
    assert refused.value.malformed


@pytest.mark.parametrize("url", ELSEWHERE)
def test_hosts_and_ports_that_are_not_listed_are_refused(url: str) -> None:
    with pytest.raises(AddressError):
        Allowed(("images.test",)).check(url)


def test_a_wild_entry_is_for_names_below_it() -> None:
    allowed = Allowed(("*.cdn.test",))
    allowed.check("https://eu.cdn.test/a")
    for url in ("https://cdn.test/", "https://evilcdn.test/"):
        with pytest.raises(AddressError):
            allowed.check(url)


@pytest.mark.parametrize("entry", ["http://host", "ho st", "host:port", "host@10.0.0.0/33", "*", ""])
def test_an_entry_that_cannot_be_meant_is_refused_at_the_start(entry: str) -> None:
    with pytest.raises(ValueError, match=r"host|network|10\.0"):
        Settings(fetch_hosts=(entry,))


def test_an_image_is_fetched_and_redirects_are_followed(site: Site) -> None:
    assert fetched(site.entry, site.url("to//photo/1")) == site.photo
    assert site.asked[-1] == ("/photo/1", f"localhost:{site.server_port}")


@pytest.mark.parametrize(
    "target", ["http://169.254.169.254/latest", "http://127.0.0.1:1/", "file:///etc/passwd", "//evil.test/"]
)
def test_a_redirect_is_judged_like_the_first_address(site: Site, target: str) -> None:
    with pytest.raises(AddressError):
        fetched(site.entry, site.url(f"to/{target}"))


@pytest.mark.parametrize("path", ["round/x", "gone/x", "zipped/x", "endless/x"])
def test_what_does_not_end_in_an_image_is_given_up(site: Site, path: str) -> None:
    with pytest.raises(AddressError):
        fetched(site.entry, site.url(path), max_bytes=100_000)


def test_a_site_that_never_answers_is_given_up(site: Site) -> None:
    with pytest.raises(AddressError, match="within"):
        fetched(site.entry, site.url("never/x"), timeout_s=0.5)


def test_the_connection_goes_to_the_address_that_was_judged(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that answers differently the second time is asked once only."""
    answers = iter(["127.0.0.1", "169.254.169.254"])
    real = asyncio.base_events.BaseEventLoop.getaddrinfo

    async def rebinding(loop: Any, host: Any, port: Any, **options: Any) -> Any:
        return await real(loop, next(answers) if host == "rebinding.test" else host, port, **options)

    monkeypatch.setattr(asyncio.base_events.BaseEventLoop, "getaddrinfo", rebinding)
    entry = f"rebinding.test:{site.server_port}@127.0.0.0/8"
    url = f"http://rebinding.test:{site.server_port}/photo/1"
    assert fetched(entry, url) == site.photo
    assert site.asked[-1][1] == f"rebinding.test:{site.server_port}"
    with pytest.raises(AddressError, match="does not call"):
        fetched(entry, url)


def test_a_name_with_one_forbidden_address_among_others_is_not_called(monkeypatch: pytest.MonkeyPatch) -> None:
    async def both(_loop: Any, _host: Any, port: Any, **_: Any) -> Any:
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in ("93.184.215.14", "10.0.0.1")
        ]

    monkeypatch.setattr(asyncio.base_events.BaseEventLoop, "getaddrinfo", both)
    with pytest.raises(AddressError, match="does not call"):
        fetched("images.test", "http://images.test/a.png")


def test_rembgs_and_remove_bgs_callers_can_name_listed_addresses(play: Any, site: Site) -> None:
    async def scenario(client: httpx.AsyncClient) -> list[httpx.Response]:
        key = {"X-API-Key": "any"}
        return [
            await client.get("/api/remove", params={"url": site.url("photo/1")}),
            await client.post("/v1.0/removebg", headers=key, data={"image_url": site.url("photo/1")}),
            await client.post(
                "/v1.0/removebg",
                headers=key,
                files={"image_file": site.photo},
                data={"bg_image_url": site.url("photo/2"), "format": "png"},
            ),
            await client.get("/api/remove", params={"url": "http://169.254.169.254/latest"}),
            await client.post("/v1.0/removebg", headers=key, data={"image_url": site.url("gone/1")}),
        ]

    answers = play(scenario, fetch_hosts=(site.entry,))
    assert [answer.status_code for answer in answers] == [200, 200, 200, 400, 400]
    assert answers[3].json()["error"]["code"] == "address"
    assert answers[4].json()["errors"][0]["code"] == "failed_image_download"
