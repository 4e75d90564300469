"""How one gateway is set up."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from alphacut_core import processors
from alphacut_gateway import origins
from alphacut_gateway.fetching.allowed import Allowed
from alphacut_gateway.keys import Keys

PREFIX = "ALPHACUT_GATEWAY_"

_MAY_BE_NOTHING = frozenset({"threads", "cache_bytes", "retry_for_s", "requests_per_minute"})
_LEAST_SECRET = 16
_SWITCH = {"1": True, "true": True, "0": False, "false": False}


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a gateway can be told; each field can also be set as ``$ALPHACUT_GATEWAY_<FIELD>``.

    Attributes:
        triton_url: Host and port of Triton's gRPC endpoint.
        max_bytes: Largest upload, in bytes; also the largest image.
        max_pixels: Largest image, width x height.
        max_bytes_in_flight: Bodies held in memory at once, in bytes.
        max_answer_bytes_in_flight: While callers have so many bytes of finished answers to fetch, no more are begun.
        max_megapixels_in_flight: Pictures held in memory at once; reckon with 10 bytes a pixel.
        head_timeout_s: How long a connection may be silent, or a request's head take to arrive.
        upload_timeout_s: How long a body may take to arrive, and how long a caller may fetch less than 16 KiB of an
            answer before the connection is ended.
        timeout_s: Deadline of one inference.
        retry_for_s: How long to repeat an inference that a restart of Triton can cure.
        cache_bytes: Memory for masks; 0 remembers nothing.
        threads: Threads that decode, render and encode; 0 for one a processor.
        api_key_hashes: Every accepted API key as ``HASH``, ``HASH:SCOPES`` or ``HASH:SCOPES:PER_MINUTE``; see
            ``alphacut_gateway.keys``. None accepts any key.
        requests_per_minute: Requests that one API key may send in a minute where its entry does not say; 0 for
            any number.
        megapixels_per_minute: What one API key may send to the remove.bg routes in a minute.
        max_connections: What comes over more connections than this at a time, for each process, is answered 503,
            but on ``/healthz``.
        step_down: Answer from a smaller tier while much is under way, and say so in a header.
        batch_bytes: Largest batch, in bytes, as it is sent.
        batch_images: Most images in a batch.
        redis_url: Where replicas share masks, limits and jobs; empty to go without.
        shared_masks_for_s: How long Redis keeps a mask.
        jobs_file: Without Redis, the SQLite file that keeps jobs; None keeps them in memory, to be lost with it.
        job_bytes: Without Redis, the most that jobs' images and results take, in bytes.
        job_keep_s: How long a job, its image and its result are kept, and how long a job waits for a server.
        job_lease_s: After so long a job whose worker has gone is given to another; longer than any job takes.
        job_attempts: How often a job is begun, and an announcement of its end sent, before it is given up.
        webhook_hosts: Where the end of jobs may be announced; see ``alphacut_gateway.fetching.allowed``.
        webhook_secret: Key of the signatures on those announcements.
        fetch_hosts: Where images may be fetched from; none fetches nothing.
        fetch_timeout_s: How long fetching an image, or an announcement, may take altogether.
        cors_origins: Origins of web pages that may call, as ``https://tools.example``, or ``*``; none keeps browsers to
            the gateway's own page.
    """

    triton_url: str = "127.0.0.1:8001"
    max_bytes: int = 22 * 2**20
    max_pixels: int = 50_000_000
    max_bytes_in_flight: int = 256 * 2**20
    max_answer_bytes_in_flight: int = 256 * 2**20
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
    requests_per_minute: int = 0
    step_down: bool = False
    batch_bytes: int = 128 * 2**20
    batch_images: int = 500
    redis_url: str = field(default="", repr=False)
    shared_masks_for_s: int = 3600
    jobs_file: Path | None = None
    job_bytes: int = 2**30
    job_keep_s: int = 3600
    job_lease_s: int = 120
    job_attempts: int = 8
    webhook_hosts: tuple[str, ...] = ()
    webhook_secret: str = field(default="", repr=False)
    fetch_hosts: tuple[str, ...] = ()
    fetch_timeout_s: float = 10.0
    cors_origins: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for each in dataclasses.fields(self):
            value = getattr(self, each.name)
            least = 0 if each.name in _MAY_BE_NOTHING else 1
            if isinstance(value, (int, float)) and not isinstance(value, bool) and value < least:
                raise ValueError(f"got {each.name}={value}; give {least} or more")
        for origin in self.cors_origins:
            origins.check(origin)
        Keys(self.api_key_hashes)
        Allowed(self.webhook_hosts)
        Allowed(self.fetch_hosts)
        if self.webhook_hosts and len(self.webhook_secret) < _LEAST_SECRET:
            raise ValueError(
                f"webhook_hosts need a webhook_secret of {_LEAST_SECRET} characters or more, or nobody can tell "
                "announcements from forgeries; make one with: openssl rand -hex 32"
            )

    @property
    def n_threads(self) -> int:
        """Threads for work on pictures."""
        return self.threads or processors.count()

    @classmethod
    def from_environment(cls, variables: Mapping[str, str], **chosen: object) -> Settings:
        """Read settings from environment variables; what is ``chosen`` by name goes before them.

        Raises:
            ValueError: A variable of no known name, or a value that does not fit.
        """
        known = {PREFIX + each.name.upper(): each for each in dataclasses.fields(cls)}
        unknown = sorted(name for name in variables if name.startswith(PREFIX) and name not in known)
        if unknown:
            raise ValueError(f"got ${unknown[0]}, which sets nothing; known are {', '.join(sorted(known))}")
        values: dict[str, object] = {}
        for name, each in known.items():
            if name in variables:
                values[each.name] = _parsed(name, variables[name], str(each.type))
        return cls(**{**values, **chosen})  # type: ignore[arg-type]


def _parsed(name: str, text: str, kind: str) -> object:
    if kind == "str":
        return text
    if kind.startswith("Path"):
        return Path(text) if text else None
    if kind.startswith("tuple"):
        return tuple(text.replace(",", " ").split())
    if kind == "bool":
        if text.lower() not in _SWITCH:
            raise ValueError(f"got ${name}={text!r}; give 0 or 1")
        return _SWITCH[text.lower()]
    try:
        return int(text) if kind == "int" else float(text)
    except ValueError as error:
        raise ValueError(f"got ${name}={text!r}; give a number") from error
