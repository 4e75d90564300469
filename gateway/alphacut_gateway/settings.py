"""How one gateway is set up."""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PREFIX = "ALPHACUT_GATEWAY_"

_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a gateway can be told; each field can also be set as ``$ALPHACUT_GATEWAY_<FIELD>``.

    Attributes:
        triton_url: Host and port of Triton's gRPC endpoint.
        repository: Model repository to read the engine's manifest and gate report from; None to go without.
        max_bytes: Largest upload, in bytes; also the largest image.
        max_pixels: Largest image, width x height.
        max_bytes_in_flight: Bodies held in memory at once, in bytes.
        max_megapixels_in_flight: Pictures held in memory at once; reckon with 10 bytes a pixel.
        head_timeout_s: How long a connection may be silent, or a request's head take to arrive.
        upload_timeout_s: How long a body may take to arrive.
        timeout_s: Deadline of one inference.
        retry_for_s: How long to repeat an inference that a restart of Triton can cure.
        cache_bytes: Memory for masks; 0 remembers nothing.
        threads: Threads that decode, render and encode; 0 for one a processor.
        api_key_hashes: SHA-256, in hexadecimal, of every accepted API key; none accepts any.
        megapixels_per_minute: What one API key may send to the remove.bg routes in a minute.
        max_connections: Connections beyond this are answered 503.
    """

    triton_url: str = "127.0.0.1:8001"
    repository: Path | None = None
    max_bytes: int = 22 * 2**20
    max_pixels: int = 50_000_000
    max_bytes_in_flight: int = 256 * 2**20
    max_megapixels_in_flight: int = 100
    head_timeout_s: float = 10.0
    upload_timeout_s: float = 30.0
    timeout_s: float = 30.0
    retry_for_s: float = 2.0
    cache_bytes: int = 256 * 2**20
    threads: int = 0
    api_key_hashes: tuple[str, ...] = ()
    megapixels_per_minute: int = 500
    max_connections: int = 1000

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            least = 0 if field.name in ("threads", "cache_bytes", "retry_for_s") else 1
            if isinstance(value, (int, float)) and value < least:
                raise ValueError(f"got {field.name}={value}; give {least} or more")
        for number, digest in enumerate(self.api_key_hashes, 1):
            if not _HASH.fullmatch(digest):
                raise ValueError(
                    f"API key hash {number} is not 64 hexadecimal digits in lower case; "
                    "make one with: printf %s KEY | sha256sum"
                )

    @property
    def n_threads(self) -> int:
        """Threads for work on pictures."""
        return self.threads or os.cpu_count() or 1

    @classmethod
    def from_environment(cls, variables: Mapping[str, str], **chosen: object) -> Settings:
        """Read settings from environment variables; what is ``chosen`` by name goes before them.

        Raises:
            ValueError: A variable of no known name, or a value that does not fit.
        """
        known = {PREFIX + field.name.upper(): field for field in dataclasses.fields(cls)}
        unknown = sorted(name for name in variables if name.startswith(PREFIX) and name not in known)
        if unknown:
            raise ValueError(f"got ${unknown[0]}, which sets nothing; known are {', '.join(sorted(known))}")
        values: dict[str, object] = {}
        for name, field in known.items():
            if name in variables:
                values[field.name] = _parsed(name, variables[name], str(field.type))
        return cls(**{**values, **chosen})  # type: ignore[arg-type]


def _parsed(name: str, text: str, kind: str) -> object:
    if kind == "str":
        return text
    if kind.startswith("Path"):
        return Path(text) if text else None
    if kind.startswith("tuple"):
        return tuple(text.replace(",", " ").split())
    try:
        return int(text) if kind == "int" else float(text)
    except ValueError as error:
        raise ValueError(f"got ${name}={text!r}; give a number") from error
