"""Encryption against Triton's own: a Triton that is given certificates, and clients that prove what they should."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trustme

from alphacut_client import AsyncClient, Client, Tls
from alphacut_core import probe
from alphacut_core.errors import AlphacutError, ServerError, UnavailableError
from alphacut_core.tiers import DEFAULT_MODEL, pipeline
from alphacut_server import environment, launch, regions
from alphacut_server.launch import Ports
from alphacut_server.ports import free_ports
from alphacut_server.triton import Triton

pytestmark = pytest.mark.triton

START_S = 240.0
MODEL = pipeline(DEFAULT_MODEL, "lite").ensemble


class Certificates:
    """An authority, what it gave to server and client, and files of it all."""

    def __init__(self, folder: Path) -> None:
        self.authority = trustme.CA()
        self.roots = folder / "ca.pem"
        self.authority.cert_pem.write_to_path(self.roots)
        self.server = self._issue(folder, "server")
        self.client = self._issue(folder, "client")

    def _issue(self, folder: Path, name: str) -> tuple[Path, Path]:
        issued = self.authority.issue_cert("localhost")
        certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
        issued.cert_chain_pems[0].write_to_path(certificate)
        issued.private_key_pem.write_to_path(key)
        return certificate, key


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return Certificates(tmp_path)


@pytest.fixture
def shared_memory() -> Iterator[str]:
    with regions.own() as prefix:
        yield prefix


@pytest.fixture
def serve_encrypted(
    repository: Path, certificates: Certificates, shared_memory: str, tmp_path: Path
) -> Iterator[Callable[..., str]]:
    """Start Triton with TLS and return its address; ``alphacut serve`` cannot, for it listens on loopback only."""
    installed = environment.ensure(lambda line: None)
    running: list[Triton] = []

    def start(*flags: str) -> str:
        ports = Ports(*free_ports(2))
        backends = launch.assemble_backend(installed, tmp_path)
        certificate, key = certificates.server
        command = launch.command(installed, repository, backends, ports, [MODEL], regions=shared_memory)
        command += ["--grpc-use-ssl=true", f"--grpc-server-cert={certificate}", f"--grpc-server-key={key}", *flags]
        running.append(Triton(command, launch.variables(installed), tmp_path / "work"))
        return f"localhost:{ports.grpc}"

    yield start
    for triton in running:
        triton.stop(10.0)


def ask(url: str, tls: Tls | bool, retry_for_s: float = 0.0) -> float:
    with Client(url, mode="lite", tls=tls, retry_for_s=retry_for_s) as client:
        return client.predict(probe.picture()).confidence


def failure(url: str, tls: Tls | bool) -> AlphacutError:
    with pytest.raises(AlphacutError) as raised:
        ask(url, tls)
    return raised.value


def test_tls_lets_in_who_trusts_the_authority_and_tells_others_why_not(
    serve_encrypted: Callable[..., str], certificates: Certificates
) -> None:
    url = serve_encrypted()
    trusting = Tls(roots=certificates.roots)
    confidence = ask(url, trusting, START_S)
    assert confidence > 0.5

    async def run() -> float:
        async with AsyncClient(url, mode="lite", tls=trusting) as client:
            return (await client.predict(probe.picture())).confidence

    assert asyncio.run(run()) == confidence
    unknown = failure(url, Tls(roots=trustme.CA().cert_pem.bytes()))
    assert isinstance(unknown, ServerError)
    assert "CERTIFICATE_VERIFY_FAILED" in str(unknown)
    assert not unknown.retryable
    assert isinstance(failure(url, tls=False), UnavailableError)


def test_mutual_tls_lets_in_only_who_proves_himself(
    serve_encrypted: Callable[..., str], certificates: Certificates
) -> None:
    url = serve_encrypted("--grpc-use-ssl-mutual=true", f"--grpc-root-cert={certificates.roots}")
    certificate, key = certificates.client
    assert ask(url, Tls(certificates.roots, certificate, key), START_S) > 0.5
    assert isinstance(failure(url, Tls(certificates.roots)), UnavailableError)
    stranger = trustme.CA().issue_cert("localhost")
    proof = Tls(certificates.roots, stranger.cert_chain_pems[0].bytes(), stranger.private_key_pem.bytes())
    assert isinstance(failure(url, proof), UnavailableError)
