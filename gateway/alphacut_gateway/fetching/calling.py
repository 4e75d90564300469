"""One HTTP call to an allowed host, at the very address that was judged."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urljoin, urlunsplit

import httpx

from alphacut_gateway.fetching.allowed import Allowed, Entry
from alphacut_gateway.refusals import AddressError

_MAX_REDIRECTS = 3
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True)
class Answer:
    """What a host answered: its status and the body, as far as it was wanted."""

    status: int
    content: bytes


class Caller:
    """Calls hosts of an allow-list.

    A name is resolved once, every address that it has is judged, and the connection goes to one of those: a name
    that changes its mind between the two changes nothing. Redirects are judged like the first address. Proxies
    that the environment names are not used.

    Args:
        allowed: Who may be called.
        timeout_s: How long a call may take altogether, redirects included.
    """

    def __init__(self, allowed: Allowed, timeout_s: float) -> None:
        self.allowed = allowed
        self._timeout_s = timeout_s

    async def get(self, url: str, max_bytes: int) -> bytes:
        """Return what an address holds.

        Raises:
            AddressError: It is not allowed, does not answer 200 in time, or holds more than ``max_bytes``.
        """
        try:
            return await asyncio.wait_for(self._get(url, max_bytes), self._timeout_s)
        except asyncio.TimeoutError as error:
            raise AddressError(f"the address did not answer in full within {self._timeout_s:g} s") from error

    async def post(self, url: str, content: bytes, headers: Mapping[str, str]) -> int:
        """Send ``content`` to an address and return the status of the answer, whose body is not read.

        Raises:
            AddressError: It is not allowed, or does not answer in time. Redirects are answers, and not followed.
        """
        try:
            answer = await asyncio.wait_for(self._call("POST", url, 0, headers, content), self._timeout_s)
        except asyncio.TimeoutError as error:
            raise AddressError(f"the address did not answer within {self._timeout_s:g} s") from error
        return answer[0].status

    async def _get(self, url: str, max_bytes: int) -> bytes:
        for _ in range(_MAX_REDIRECTS + 1):
            answer, location = await self._call("GET", url, max_bytes, {})
            if answer.status == 200:
                return answer.content
            if answer.status not in _REDIRECTS or not location:
                raise AddressError(f"the address answered with status {answer.status}; give one that holds an image")
            url = urljoin(url, location)
        raise AddressError(f"the address redirects more than {_MAX_REDIRECTS} times")

    async def _call(
        self, method: str, url: str, max_bytes: int, headers: Mapping[str, str], content: bytes | None = None
    ) -> tuple[Answer, str]:
        parts, entry = self.allowed.check(url)
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        address = await _resolved(host, port, entry)
        pinned = f"[{address}]" if ":" in address else address
        request = httpx.Request(
            method,
            urlunsplit((parts.scheme, f"{pinned}:{port}", parts.path or "/", parts.query, "")),
            headers={"Host": parts.netloc, "Accept-Encoding": "identity", "User-Agent": "alphacut", **headers},
            content=content,
            # The certificate has to be the name's, not the address's.
            extensions={"sni_hostname": host, "timeout": httpx.Timeout(self._timeout_s).as_dict()},
        )
        try:
            async with httpx.AsyncHTTPTransport(trust_env=False) as transport:
                response = await transport.handle_async_request(request)
                try:
                    body = await _read(response, max_bytes) if response.status_code == 200 else b""
                finally:
                    await response.aclose()
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise AddressError(f"the address cannot be reached ({type(error).__name__})") from error
        return Answer(response.status_code, body), response.headers.get("location", "")


async def _resolved(host: str, port: int, entry: Entry) -> str:
    """Return one address of a host, all of which have been judged."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise AddressError(f"the host {host[:60]!r} has no address") from error
    addresses = [str(each[4][0]).partition("%")[0] for each in found]
    for address in addresses:
        if not entry.admits(ipaddress.ip_address(address)):
            raise AddressError(f"the host {host[:60]!r} is found where this gateway does not call")
    return addresses[0]


async def _read(response: httpx.Response, max_bytes: int) -> bytes:
    if max_bytes == 0:
        return b""
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise AddressError("the address answers compressed, although asked not to")
    content = bytearray()
    async for chunk in response.aiter_raw():
        content += chunk
        if len(content) > max_bytes:
            raise AddressError(f"the address holds more than {max_bytes:,} bytes")
    return bytes(content)
