"""Encryption, and who proves what to whom."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import grpc

Pem = bytes | str | Path
"""PEM text as bytes, or the path of a file of it."""


@dataclass(frozen=True, slots=True)
class Tls:
    """An encrypted connection.

    Attributes:
        roots: Certificates that the server's must descend from; None for those that gRPC brings along.
        certificate: This client's own certificate chain, for servers that ask for one (mutual TLS).
        key: The private key of ``certificate``.
        server_name: The name in the server's certificate, where it is not the one in the address.

    Raises:
        ValueError: Only one of ``certificate`` and ``key``.

    Example:
        >>> client = Client("cut.example:8001", tls=Tls(roots="ca.pem", certificate="me.pem", key="me.key"))
    """

    roots: Pem | None = None
    certificate: Pem | None = None
    key: Pem | None = field(default=None, repr=False)
    server_name: str | None = None

    def __post_init__(self) -> None:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("got one of certificate and key; mutual TLS needs both, plain TLS neither")

    def credentials(self) -> grpc.ChannelCredentials:
        """Read the files, and return what gRPC takes.

        Raises:
            OSError: A file cannot be read.
        """
        roots, key, certificate = (_content(pem) for pem in (self.roots, self.key, self.certificate))
        return grpc.ssl_channel_credentials(roots, key, certificate)


def _content(pem: Pem | None) -> bytes | None:
    return pem if pem is None or isinstance(pem, bytes) else Path(pem).read_bytes()
