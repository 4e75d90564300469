"""What a request asks for arrives at the client and at the gateway as its mix says."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

from alphacut_client import Client, Prediction
from alphacut_core import steps
from alphacut_core.limits import DEFAULT_LIMITS
from alphacut_core.options import Options
from alphacut_loadtest.generator.grpc_way import GrpcWay
from alphacut_loadtest.generator.http_way import HttpWay
from alphacut_loadtest.generator.outcome import Outcome
from alphacut_loadtest.traffic.corpus import Ask, Corpus
from alphacut_loadtest.traffic.mix import Mix, Size


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


@pytest.fixture
def gateway() -> Iterator[tuple[str, list[dict[str, list[str]]]]]:
    """A server on loopback that says yes, and what it was asked."""
    asked: list[dict[str, list[str]]] = []

    class Yes(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(parse_qs(urlsplit(self.path).query))
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Yes) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
        thread.join()


def test_the_gateway_hears_only_of_what_is_not_its_default(gateway: tuple[str, list[dict[str, list[str]]]]) -> None:
    url, asked = gateway
    way = HttpWay(url, 10.0)
    for one in (ask(), ask(decode="fast"), ask(answer="cutout", mode="lite", decode="fast")):
        assert way.send(one).outcome is Outcome.ANSWERED
    way.close()
    assert asked == [
        {"output": ["mask"], "format": ["png"]},
        {"output": ["mask"], "format": ["png"], "decode": ["fast"]},
        {"output": ["cutout"], "format": ["webp"], "mode": ["lite"], "decode": ["fast"]},
    ]


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
