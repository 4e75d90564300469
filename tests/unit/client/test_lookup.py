"""Servers by their names: looked up, kept where that fails, and found again where they have moved."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from alphacut_client import AsyncClient, Client, _lookup
from alphacut_client._lookup import Lookup, look_up
from alphacut_core.errors import UnavailableError
from tests.waiting import wait_until

Serve = Callable[..., Any]
Photo = Callable[..., bytes]
Names = dict[str, list[str]]


def target(*servers: str) -> str:
    return Lookup(servers).target


def test_one_address_is_grpcs_own_affair() -> None:
    assert target("dns:///triton:8001") == "dns:///triton:8001"
    assert target("127.0.0.1:8001") == "127.0.0.1:8001"


def test_several_addresses_become_one_target() -> None:
    assert target("127.0.0.1:1", "127.0.0.2:2") == "ipv4:127.0.0.1:1,127.0.0.2:2"
    assert target("[::1]:1", "[::1]:2") == "ipv6:[::1]:1,[::1]:2"
    assert target("localhost:7", "127.0.0.2:8") == "ipv4:127.0.0.1:7,127.0.0.2:8"


def test_addresses_of_both_kinds_become_one_target_of_the_newer_kind() -> None:
    assert target("127.0.0.1:1", "[::1]:2") == "ipv6:[::ffff:127.0.0.1]:1,[::1]:2"


def test_servers_by_addresses_of_both_kinds_take_turns(serve: Serve, photo: Photo) -> None:
    older, newer = serve(), serve(host="[::1]")
    with Client([older.url, newer.url]) as client:
        while not (older.requests and newer.requests):
            client.mask(photo())


def test_a_server_without_a_name_leaves_the_others() -> None:
    assert target("nobody.invalid:1", "127.0.0.1:2") == "ipv4:127.0.0.1:2"


@pytest.mark.parametrize("name", ["nobody.invalid", "no..body", "n" * 64 + ".invalid"])
def test_servers_none_of_which_has_a_name_are_told_of_with_the_reason(name: str) -> None:
    with pytest.raises(UnavailableError, match=r"none of the names in .+:1, none\.invalid:2 \(.+\); check"):
        Client([f"{name}:1", "none.invalid:2"])


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    """What names stand for; others are not known."""
    known: Names = {}

    def look_up(host: str, port: int, **_: Any) -> Iterable[Any]:
        if host not in known:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in known[host]]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setattr(_lookup, "_AGAIN_S", 0.0)
    return known


def test_a_server_stays_where_it_was_as_long_as_that_is_one_of_its_addresses(names: Names) -> None:
    names["cut"] = ["10.0.0.2", "10.0.0.3"]
    assert look_up(["cut:1"], {}) == {"cut:1": "10.0.0.2"}
    assert look_up(["cut:1"], {"cut:1": "10.0.0.3"}) == {"cut:1": "10.0.0.3"}
    assert look_up(["cut:1"], {"cut:1": "10.0.0.1"}) == {"cut:1": "10.0.0.2"}
    del names["cut"]
    assert look_up(["cut:1"], {"cut:1": "10.0.0.1"}) == {"cut:1": "10.0.0.1"}


def test_a_server_that_moves_is_found_where_it_is_now(names: Names, serve: Serve, photo: Photo) -> None:
    staying, leaving = serve(), serve()
    names.update(stays=["127.0.0.1"], moves=["127.0.0.1"])
    with Client([f"stays:{staying.port}", f"moves:{leaving.port}"]) as client:
        while not (staying.requests and leaving.requests):
            client.mask(photo())
        moved = serve(host="127.0.0.2", port=leaving.port)
        leaving.stop()
        names["moves"] = ["127.0.0.2"]
        while not moved.requests:  # no image is lost
            client.mask(photo())


def test_a_server_whose_name_comes_later_joins_the_others(names: Names, serve: Serve, photo: Photo) -> None:
    staying, late = serve(), serve()
    names.update(stays=["127.0.0.1"])

    async def run() -> None:
        async with AsyncClient([f"stays:{staying.port}", f"late:{late.port}"]) as client:
            await client.mask(photo())
            names["late"] = ["127.0.0.1"]
            while not late.requests:
                await client.mask(photo())

    asyncio.run(run())


def test_nothing_is_looked_up_while_the_process_forks(names: Names) -> None:
    names.update(one=["10.0.0.1"], two=["10.0.0.2"])
    lookup = Lookup(["one:1", "two:1"])
    lookup.hold(30)
    names["two"] = ["10.0.0.3"]
    assert not any(lookup.moved() for _ in range(3))
    lookup.release()
    wait_until("the move", lookup.moved)
    assert lookup.target == "ipv4:10.0.0.1:1,10.0.0.3:1"


@pytest.mark.parametrize(
    "servers",
    [["127.0.0.1:1", "[::1]:2"], ["127.0.0.1:1"], ["localhost:1"], ["dns:///triton:8001"], ["unix:/run/triton"]],
)
def test_addresses_in_numbers_and_servers_that_are_alone_are_not_looked_up_again(
    servers: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_lookup, "_AGAIN_S", 0.0)
    lookup = Lookup(servers)
    before = lookup.target
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: pytest.fail("looked up"))
    monkeypatch.setattr(threading, "Thread", lambda *_, **__: pytest.fail("looks up"))
    assert not any(lookup.moved() for _ in range(3))
    assert lookup.target == before
