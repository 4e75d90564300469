"""What a request asks for arrives at the client and at the gateway as its mix says."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
import trustme

from alphacut_client import Client, Prediction
from alphacut_core import steps
from alphacut_core.errors import InvalidOptionError
from alphacut_core.limits import DEFAULT_LIMITS
from alphacut_core.options import Options
from alphacut_loadtest.generator.grpc_way import GrpcWay
from alphacut_loadtest.generator.http_way import KEY_VARIABLE, HttpWay
from alphacut_loadtest.generator.outcome import Outcome
from alphacut_loadtest.traffic.corpus import Ask, Corpus
from alphacut_loadtest.traffic.mix import Mix, Size
from tests.serving import served


def ask(data: bytes = b"a file", **changes: Any) -> Ask:
    plain = {
        "mode": "full",
        "answer": "mask",
        "decode": "exact",
        "upload": "encoded",
        "corrupt": False,
        "repeated": False,
    }
    return Ask("dahlia", data, **{**plain, **changes})


@contextmanager
def saying_yes(tls: ssl.SSLContext | None = None) -> Iterator[tuple[int, list[tuple[str, str | None]]]]:
    """Run a server on loopback that says yes; yield its port, and the paths and keys that it got."""
    got: list[tuple[str, str | None]] = []

    class Yes(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append((self.path, self.headers["x-api-key"]))
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Yes)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    with served(server):
        yield server.server_port, got


def test_the_gateway_hears_only_of_what_is_not_its_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    with saying_yes() as (port, got):
        way = HttpWay(f"http://127.0.0.1:{port}", 10.0)
        for one in (ask(), ask(decode="fast"), ask(answer="cutout", mode="lite", decode="fast")):
            assert way.send(one).outcome is Outcome.ANSWERED
        way.close()
    assert {(urlsplit(path).path, key) for path, key in got} == {("/remove", None)}
    assert [parse_qs(urlsplit(path).query) for path, _ in got] == [
        {"output": ["mask"], "format": ["png"]},
        {"output": ["mask"], "format": ["png"], "decode": ["fast"]},
        {"output": ["cutout"], "format": ["webp"], "mode": ["lite"], "decode": ["fast"]},
    ]


@pytest.mark.parametrize("path", ["/cut", "/cut/"])
def test_a_gateway_below_a_path_gets_the_key_of_the_environment(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_VARIABLE, "s3cret")
    with saying_yes() as (port, got):
        way = HttpWay(f"http://127.0.0.1:{port}{path}", 10.0)
        assert way.send(ask()).outcome is Outcome.ANSWERED
        way.close()
    assert got == [("/cut/remove?output=mask&format=png", "s3cret")]


@pytest.mark.parametrize("key", ["s3cret\n", "schlüssel"])
def test_a_key_that_cannot_be_sent_is_refused_and_not_told(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_VARIABLE, key)
    with pytest.raises(InvalidOptionError, match="without a line break") as refused:
        HttpWay("http://127.0.0.1:9", 1.0)
    assert key.strip() not in str(refused.value)


def test_a_gateway_of_ones_own_authority_is_believed_where_the_environment_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority, roots = trustme.CA(), tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(roots)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    with saying_yes(tls) as (port, _):
        for believed, outcome in ((None, Outcome.UNAVAILABLE), (str(roots), Outcome.ANSWERED)):
            if believed is not None:
                monkeypatch.setenv("SSL_CERT_FILE", believed)
            way = HttpWay(f"https://127.0.0.1:{port}", 10.0)
            assert way.send(ask()).outcome is outcome
            way.close()


def test_the_client_is_told_how_to_decode(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[dict[str, Any]] = []

    def predict(self: Client, image: bytes, **wishes: Any) -> Prediction:
        told.append(wishes)
        return Prediction(np.zeros((2, 2), np.uint8), 1.0)

    def remove(self: Client, image: bytes, **wishes: Any) -> bytes:
        told.append(wishes)
        return b"a cut-out"

    monkeypatch.setattr(Client, "predict", predict)
    monkeypatch.setattr(Client, "remove", remove)
    way = GrpcWay("grpc://127.0.0.1:1", 1.0)
    for one in (ask(), ask(decode="fast"), ask(answer="cutout", decode="fast")):
        assert way.send(one).outcome is Outcome.ANSWERED
    way.close()
    assert told == [{"decode": "exact"}, {"decode": "fast"}, {"format": "webp", "decode": "fast"}]


def test_pixels_are_the_square_that_the_server_would_have_made_of_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[np.ndarray] = []

    def predict(self: Client, image: np.ndarray, **wishes: Any) -> Prediction:
        sent.append(image)
        assert wishes == {}
        return Prediction(np.zeros((2, 2), np.uint8), 1.0)

    monkeypatch.setattr(Client, "predict", predict)
    way = GrpcWay("grpc://127.0.0.1:1", 1.0)
    (file,) = Corpus(Mix(sizes={Size(400, 300): 1.0})).files
    for mode, decode in (("full", "exact"), ("lite", "fast"), ("full", "exact")):
        assert way.send(ask(file.data, upload="pixels", mode=mode, decode=decode)).outcome is Outcome.ANSWERED
    way.close()
    np.testing.assert_array_equal(sent[0], steps.preprocess(file.data, Options(), 320, DEFAULT_LIMITS))
    assert sent[1].shape == (160, 160, 3)
    assert sent[2] is sent[0], "made once, so that sending costs next to nothing"
