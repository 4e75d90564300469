"""A gRPC server of our own, for faults that a healthy Triton does not make."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
import trustme
from PIL import Image
from tritonclient.grpc import service_pb2, service_pb2_grpc

SIZE = 320
Answer = Callable[[Any, grpc.ServicerContext], Any]


class Server(service_pb2_grpc.GRPCInferenceServiceServicer):
    """Answers inferences by a function and remembers them."""

    def __init__(
        self,
        answer: Answer,
        port: int = 0,
        *,
        tls: trustme.LeafCert | None = None,
        client_authority: trustme.CA | None = None,
        options: Sequence[tuple[str, int]] = (),
        host: str = "127.0.0.1",
    ) -> None:
        self.answer = answer
        self.requests: list[Any] = []
        self.metadata: list[dict[str, Any]] = []
        self.asked: list[str] = []
        self.served: dict[str, dict[str, str]] = {}
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(32)
        self._server = grpc.server(self._pool, options=[("grpc.max_receive_message_length", -1), *options])
        service_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(self, self._server)
        address = f"{host}:{port}"
        if tls is None:
            self.port = self._server.add_insecure_port(address)
        else:
            self.port = self._server.add_secure_port(address, _credentials(tls, client_authority))
        self.url = f"{host}:{self.port}"
        self._server.start()

    def ModelInfer(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802  the protocol's name
        with self._lock:
            self.requests.append(request)
            self.metadata.append(dict(context.invocation_metadata()))
        return self.answer(request, context)

    def ServerMetadata(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        return service_pb2.ServerMetadataResponse(name="triton", version="2.51.0")

    def RepositoryIndex(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        index = service_pb2.RepositoryIndexResponse()
        for name in self.served:
            index.models.add(name=name, state="READY")
        return index

    def ModelMetadata(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        with self._lock:
            self.asked.append(request.name)
        size = int(self._parameters(request, context)["size"])
        answer = service_pb2.ModelMetadataResponse(name=request.name)
        answer.outputs.add(name="MASK", datatype="UINT8", shape=(-1, size, size))
        return answer

    def ModelConfig(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        answer = service_pb2.ModelConfigResponse()
        for name, value in self._parameters(request, context).items():
            answer.config.parameters[name].string_value = value
        return answer

    def ModelStatistics(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        statistics = service_pb2.ModelStatisticsResponse()  # of a Triton that counts later
        for name in self.served:
            statistics.model_stats.add(name=name)
        return statistics

    def _parameters(self, request: Any, context: grpc.ServicerContext) -> dict[str, str]:
        if request.name not in self.served:
            unknown = f"Request for unknown model: '{request.name}' is not found"
            context.abort(grpc.StatusCode.NOT_FOUND, unknown)
        return self.served[request.name]

    def stop(self) -> None:
        """Drop every connection at once, as a killed server does."""
        self._server.stop(None).wait()
        self._pool.shutdown()


def _credentials(certificate: trustme.LeafCert, client_authority: trustme.CA | None) -> grpc.ServerCredentials:
    chain = b"".join(blob.bytes() for blob in certificate.cert_chain_pems)
    roots = None if client_authority is None else client_authority.cert_pem.bytes()
    return grpc.ssl_server_credentials([(certificate.private_key_pem.bytes(), chain)], roots, roots is not None)


class Hang:
    """An answer that never comes; knows when a request arrived and when its caller left."""

    def __init__(self) -> None:
        self.arrived = threading.Event()
        self.left = threading.Event()

    def __call__(self, request: Any, context: grpc.ServicerContext) -> Any:
        if not context.add_callback(self.left.set):  # the caller was gone before
            self.left.set()
        self.arrived.set()
        self.left.wait(60)
        return service_pb2.ModelInferResponse()


def _left_half(size: int = SIZE) -> np.ndarray:
    mask = np.zeros((size, size), np.uint8)
    mask[:, : size // 2] = 255
    return mask


def _respond(request: Any, mask: np.ndarray | None = None) -> Any:
    response = service_pb2.ModelInferResponse(model_name=request.model_name)
    shown = _left_half() if mask is None else mask
    contents = {
        "MASK": ("UINT8", (1, *shown.shape), shown.tobytes()),
        "CONFIDENCE": ("FP32", (1, 1), np.float32(0.75).tobytes()),
        "RENDERED": ("UINT8", (1, 8), b"rendered"),
    }
    for output in request.outputs:
        datatype, shape, content = contents[output.name]
        response.outputs.add(name=output.name, datatype=datatype, shape=shape)
        response.raw_output_contents.append(content)
    return response


@pytest.fixture
def respond() -> Callable[..., Any]:
    """Make of a request what Triton would answer, with the mask given or one whose left half is subject."""
    return _respond


@pytest.fixture
def left_half() -> np.ndarray:
    """The mask that ``respond`` answers: uint8 (SIZE, SIZE)."""
    return _left_half()


@pytest.fixture
def half_of() -> Callable[[int], np.ndarray]:
    """Make such a mask of another size."""
    return _left_half


@pytest.fixture
def photo() -> Callable[..., bytes]:
    """Make a small image file of one colour."""

    def make(width: int = 64, height: int = 48, file_format: str = "PNG", **parameters: Any) -> bytes:
        buffer = io.BytesIO()
        Image.new("RGB", (width, height), (200, 100, 50)).save(buffer, file_format, **parameters)
        return buffer.getvalue()

    return make


@pytest.fixture
def hang() -> Hang:
    """An answer for ``serve`` that never comes."""
    return Hang()


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """Start servers that answer as told; they are stopped after the test."""
    running: list[Server] = []

    def start(answer: Answer | None = None, port: int = 0, **settings: Any) -> Server:
        running.append(Server(answer or (lambda request, context: _respond(request)), port, **settings))
        return running[-1]

    yield start
    for server in running:
        server.stop()


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Put a program in the place of ``python -m alphacut_server``."""

    def put(program: str) -> None:
        package = tmp_path / "alphacut_server"
        package.mkdir()
        (package / "__init__.py").touch()
        (package / "__main__.py").write_text(program)
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    return put
