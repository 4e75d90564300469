"""Addresses, and where secrets may go."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from alphacut_client._target import endpoints, grpc_target
from alphacut_client.settings import Settings
from alphacut_client.tls import Tls


def test_one_address_is_grpcs_own_affair() -> None:
    assert grpc_target(endpoints("dns:///triton:8001")) == "dns:///triton:8001"
    assert grpc_target(endpoints(["127.0.0.1:8001"])) == "127.0.0.1:8001"


def test_several_addresses_become_one_target() -> None:
    assert grpc_target(endpoints(["127.0.0.1:1", "127.0.0.2:2"])) == "ipv4:127.0.0.1:1,127.0.0.2:2"
    assert grpc_target(endpoints(["[::1]:1", "[::1]:2"])) == "ipv6:[::1]:1,[::1]:2"
    assert grpc_target(endpoints(["localhost:7", "127.0.0.2:8"])) == "ipv4:127.0.0.1:7,127.0.0.2:8"


def test_a_server_without_a_name_leaves_the_others() -> None:
    assert grpc_target(endpoints(["nobody.invalid:1", "127.0.0.1:2"])) == "ipv4:127.0.0.1:2"
    with pytest.raises(socket.gaierror):
        grpc_target(endpoints(["nobody.invalid:1", "none.invalid:2"]))


@pytest.mark.parametrize("url", ["", [], [""], ["127.0.0.1:1", "dns:///x:1"], ["127.0.0.1", "127.0.0.1:1"]])
def test_what_is_no_address_is_refused(url: Any) -> None:
    with pytest.raises(ValueError, match="host"):
        endpoints(url)


@pytest.mark.parametrize("url", ["cut.example:8001", "dns:///10.0.0.1:8001", ["127.0.0.1:1", "10.0.0.1:2"]])
@pytest.mark.parametrize("secret", ["token", "api_key"])
def test_secrets_are_not_shown_to_networks(url: Any, secret: str) -> None:
    with pytest.raises(ValueError, match="plaintext_secrets=True"):
        Settings(url, **{secret: "s3cret"})
    assert Settings(url, plaintext_secrets=True, **{secret: "s3cret"})
    assert Settings(url, tls=Tls(server_name="cut.example"), **{secret: "s3cret"})


@pytest.mark.parametrize("url", ["127.0.0.1:8001", "localhost:8001", "[::1]:8001", "dns:///localhost:1", "unix:/a"])
def test_secrets_may_stay_on_this_machine(url: str) -> None:
    assert "s3cret" not in repr(Settings(url, api_key="s3cret"))


def test_several_servers_behind_tls_need_the_name_that_they_prove() -> None:
    with pytest.raises(ValueError, match="server_name"):
        Settings(["10.0.0.1:1", "10.0.0.2:1"], tls=True)


def test_half_a_client_certificate_is_refused() -> None:
    with pytest.raises(ValueError, match="both"):
        Tls(certificate=b"cert")
