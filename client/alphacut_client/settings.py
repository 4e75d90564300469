"""What a client is told once, for all of its calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, TypedDict, get_args

from alphacut_client._route import Priority, Route, Upload
from alphacut_client._secret import Secret, check_text, check_way
from alphacut_client._target import endpoints
from alphacut_client.timings import Observer
from alphacut_client.tls import Tls
from alphacut_core import checks
from alphacut_core.contract import Pipeline
from alphacut_core.deadlines import MAX_TIMEOUT_S
from alphacut_core.limits import DEFAULT_LIMITS, Limits
from alphacut_core.tiers import DEFAULT_MODEL, Mode

RenderOn = Literal["client", "server"]
DEFAULT_URL = "127.0.0.1:8001"

_MIN_KEEPALIVE_S = 0.001  # gRPC counts milliseconds


class ClientKeywords(TypedDict, total=False):
    """What ``Client`` and ``AsyncClient`` take beyond their address; ``Settings`` says what each means."""

    model: str
    mode: Mode
    pipeline: Pipeline | None
    upload: Upload
    priority: Priority
    render_on: RenderOn
    limits: Limits
    timeout_s: float
    retry_for_s: float
    window: int | None
    tls: Tls | bool
    token: Secret | None
    api_key: Secret | None
    plaintext_secrets: bool
    keepalive_s: float
    observer: Observer | None


@dataclass(frozen=True, slots=True)
class Settings:
    """A client's settings.

    Attributes:
        url: Host and port of Triton's gRPC endpoint; ``dns:///name:port`` for all servers behind a name; or a
            list of hosts and ports. Several take turns, and one that fails is left out for a while. Names are looked up
            again while requests are sent; at least one of a list must be known when the client is made.
        model: The network for calls that name none; ``Client.models`` lists what is there.
        mode: Its tier: ``full``, ``medium`` or ``lite``.
        pipeline: Names of the Triton models, for servers that name them otherwise; replaces both.
        upload: Who decodes image files. ``encoded`` sends them as they are, for the server to decode. ``pixels``
            decodes and resizes here and calls the engine, which spares the server's processor; the masks are
            the same byte for byte. ``auto`` chooses for each; see ``alphacut_client._upload``.
        priority: ``bulk`` lets other work go first in the server's queues.
        render_on: ``server`` lets the server return finished files, for callers with more network than
            processor. Pixels are composited here all the same.
        limits: Bounds on images, checked before anything is sent. The server has its own.
        timeout_s: Deadline of one attempt, 0.05 s to a day.
        retry_for_s: How long to repeat what can succeed later; 0 repeats nothing.
        window: How many images of a batch or stream are under way at once; bounds memory and the server's queue.
            None finds the number by itself.
        tls: Encryption: False for none, True for the usual authorities, or a ``Tls``.
        token: Sent as ``authorization: Bearer TOKEN``; printable ASCII.
        api_key: Sent as ``x-api-key``; printable ASCII.
        plaintext_secrets: Allows ``token`` and ``api_key`` without TLS to other machines than this one.
        keepalive_s: Seconds between pings while calls are under way. Servers end connections that ping more
            often than they allow, which is every 300 s unless they were told otherwise. 0.001 s to a day.
        observer: Called with the seconds of every stage, from several threads; see ``alphacut_client.timings``.

    Raises:
        ValueError: A value that is not allowed.
        InvalidOptionError: The same, for what calls can change.
    """

    url: str | Sequence[str] = DEFAULT_URL
    model: str = DEFAULT_MODEL
    mode: Mode = "full"
    pipeline: Pipeline | None = None
    upload: Upload = "encoded"
    priority: Priority = "interactive"
    render_on: RenderOn = "client"
    limits: Limits = DEFAULT_LIMITS
    timeout_s: float = 60.0
    retry_for_s: float = 60.0
    window: int | None = None
    tls: Tls | bool = False
    token: Secret | None = field(default=None, repr=False)
    api_key: Secret | None = field(default=None, repr=False)
    plaintext_secrets: bool = False
    keepalive_s: float = 310.0
    observer: Observer | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.render_on, str) or self.render_on not in get_args(RenderOn):
            raise ValueError(f"got render_on={self.render_on!r}; allowed are 'client' and 'server'")
        self._check_numbers()
        _ = self.route
        servers = endpoints(self.url)
        if len(servers) > 1 and self.tls and not (isinstance(self.tls, Tls) and self.tls.server_name):
            raise ValueError("got several addresses and TLS; give tls=Tls(server_name=...), the name they all prove")
        for secret in (self.token, self.api_key):
            if isinstance(secret, str):
                check_text(secret)
        if (self.token is not None or self.api_key is not None) and not self.tls and not self.plaintext_secrets:
            check_way(servers)

    def _check_numbers(self) -> None:
        retry_for_s = checks.as_number(self.retry_for_s)
        if retry_for_s is None or not retry_for_s >= 0:  # which NaN is not
            raise ValueError(f"got retry_for_s={self.retry_for_s!r}; give 0 or more seconds")
        window = checks.as_integer(self.window)
        if self.window is not None and (window is None or window < 1):
            raise ValueError(f"got window={self.window!r}; give a whole number, at least 1 image under way, or None")
        keepalive_s = checks.as_number(self.keepalive_s)
        if keepalive_s is None or not _MIN_KEEPALIVE_S <= keepalive_s <= MAX_TIMEOUT_S:
            raise ValueError(
                f"got keepalive_s={self.keepalive_s!r}; give {_MIN_KEEPALIVE_S} to {MAX_TIMEOUT_S:g} seconds"
            )
        checks.keep(self, retry_for_s=retry_for_s, window=window, keepalive_s=keepalive_s)

    @property
    def route(self) -> Route:
        """The way of images whose calls say nothing of it."""
        return Route(self.model, self.mode, self.upload, self.timeout_s, self.priority)

    @property
    def address(self) -> str:
        """The servers, for messages."""
        return ",".join(endpoints(self.url))

    @property
    def several(self) -> bool:
        """Whether more than one server may answer."""
        return len(endpoints(self.url)) > 1 or self.address.startswith("dns:")
