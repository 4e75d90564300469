"""Addresses, and where secrets may go."""

from __future__ import annotations

from typing import Any

import pytest

from alphacut_client import Client
from alphacut_client._target import endpoints
from alphacut_client.settings import Settings
from alphacut_client.tls import Tls


@pytest.mark.parametrize(
    "url",
    [
        *("", [], [""], ["127.0.0.1:1", "dns:///x:1"], ["127.0.0.1", "127.0.0.1:1"]),
        *("http://127.0.0.1:8001", "grpc://cut.example:8001", "127.0.0.1:8001/v2", "me@cut.example:8001"),
        *(
            "a:1,b:2",
            "a:1 ",
            "cut.example",
            "127.0.0.1",
            ":8001",
            "cut.example:",
            "cut.example:65536",
            "::1:8001",
            "[::1]",
        ),
    ],
)
def test_what_is_no_address_is_refused(url: Any) -> None:
    with pytest.raises(ValueError, match=r"give host and port, such as '127\.0\.0\.1:8001'"):
        Client(url)


@pytest.mark.parametrize(
    "url",
    [
        "cut.example:8001",
        "u2net_1:8001",
        "[fe80::1%eth0]:8001",
        "dns:///cut.example",
        "dns://10.0.0.1/cut:1",
        "xds:///cut",
    ],
)
def test_what_is_an_address_is_not_refused(url: str) -> None:
    assert endpoints(url) == (url,)


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


def test_a_private_key_is_not_shown_in_logs() -> None:
    tls = Tls(certificate=b"chain", key=b"s3cret")
    assert "s3cret" not in repr(tls) + repr(Settings("cut.example:8001", tls=tls))


@pytest.mark.parametrize("unsendable", ["s3cret\n", "s3crét", "s3\0cret"])
@pytest.mark.parametrize("secret", ["token", "api_key"])
def test_a_secret_that_no_header_holds_is_refused_without_telling_it(secret: str, unsendable: str) -> None:
    with pytest.raises(ValueError, match="strip the line break") as refused:
        Client("127.0.0.1:1", **{secret: unsendable})
    assert unsendable not in str(refused.value)
    told = "strip the line break"
    with Client("127.0.0.1:1", **{secret: lambda: unsendable}) as client, pytest.raises(ValueError, match=told):
        client.health()


def test_half_a_client_certificate_is_refused() -> None:
    with pytest.raises(ValueError, match="both"):
        Tls(certificate=b"cert")
