"""Everything one application holds while it runs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from fastapi import Request

from alphacut_core.errors import InvalidOptionError
from alphacut_gateway import uploads
from alphacut_gateway.admission import Budget
from alphacut_gateway.cutting import Cutting
from alphacut_gateway.keys import Keys
from alphacut_gateway.metrics import Metrics
from alphacut_gateway.model import Model
from alphacut_gateway.readiness import Readiness
from alphacut_gateway.removebg.allowance import Allowances
from alphacut_gateway.settings import Settings
from alphacut_gateway.stages import Stages


@dataclass(frozen=True, slots=True)
class Gateway:
    """What routes work with; found in ``request.app.state.gateway``."""

    settings: Settings
    model: Model
    cutting: Cutting
    keys: Keys
    body_bytes: Budget
    allowances: Allowances
    metrics: Metrics
    readiness: Readiness

    @asynccontextmanager
    async def upload(self, request: Request) -> AsyncIterator[uploads.Upload]:
        """Read the body of a caller who may send one; its bytes are held while the block runs.

        Raises:
            UnauthorizedError: The caller has no accepted key; nothing has been read.
            BusyError: Too many bytes are under way; nothing has been read.
            InputError: The body is not acceptable.
        """
        self.keys.check(request.headers)
        async with self._body(request, urlencoded=False) as upload:
            yield upload

    @asynccontextmanager
    async def form(self, request: Request) -> AsyncIterator[uploads.Upload]:
        """Read the body, which may be a form of text alone, of a caller whose key has been checked; as ``upload``."""
        async with self._body(request, urlencoded=True) as upload:
            yield upload

    @asynccontextmanager
    async def _body(self, request: Request, *, urlencoded: bool) -> AsyncIterator[uploads.Upload]:
        limit = self.settings.max_bytes
        with self.body_bytes.hold(uploads.announced_bytes(request, limit)):
            yield await uploads.read(request, limit, self.settings.upload_timeout_s, urlencoded=urlencoded)

    def check_model(self, name: str | None) -> None:
        """Refuse a model that is not served here.

        Raises:
            InvalidOptionError: It is another one.
        """
        if name not in (None, "", self.model.name):
            raise InvalidOptionError(f"got model={name[:40]!r}; this gateway serves {self.model.name!r}; leave it out")

    def stages(self) -> Stages:
        """Return a new request's clock."""
        return Stages(self.metrics.observe_stage)


def of(request: Request) -> Gateway:
    """Return the gateway that a request came to."""
    gateway: Gateway = request.app.state.gateway
    return gateway
