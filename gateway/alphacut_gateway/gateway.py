"""Everything one application holds while it runs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from fastapi import Request

from alphacut_gateway import admission, deadline, uploads
from alphacut_gateway.admission import Budget
from alphacut_gateway.allowance import Allowances
from alphacut_gateway.cutting import Cutting
from alphacut_gateway.deadline import Deadline, Pace
from alphacut_gateway.fetching.calling import Caller
from alphacut_gateway.jobs.service import Jobs
from alphacut_gateway.keys import Key, Keys, Scope
from alphacut_gateway.metrics import Metrics
from alphacut_gateway.readiness import Readiness
from alphacut_gateway.settings import Settings
from alphacut_gateway.stages import Stages
from alphacut_gateway.tier import Tier


@dataclass(frozen=True, slots=True)
class Gateway:
    """What routes work with; found in ``request.app.state.gateway``."""

    settings: Settings
    cutting: Cutting
    jobs: Jobs
    keys: Keys
    fetcher: Caller
    body_bytes: Budget
    answer_bytes: Budget
    requests: Allowances
    megapixels: Allowances
    pace: Pace
    metrics: Metrics
    readiness: Readiness

    async def admit(self, request: Request, scope: Scope) -> Key:
        """Return who is calling, having counted the request against what they may send.

        Raises:
            UnauthorizedError: The caller has no accepted key.
            ForbiddenError: The key is not for this.
            RateLimitError: The caller has sent as many requests as a minute allows.
        """
        key = self.keys.check(request.headers, scope)
        limit = self.settings.requests_per_minute if key.per_minute is None else key.per_minute
        if limit:
            await self.requests.charge(key.digest, 1, limit)
        return key

    def deadline(self, request: Request) -> Deadline:
        """Return how long the caller waits.

        Raises:
            MalformedRequestError: The header is not a number.
            HopelessDeadlineError: Requests take longer than that at present.
        """
        given = deadline.of(request.headers)
        self.pace.check(given)
        return given

    async def tier(self, asked: Tier) -> Tier:
        """Return the tier to answer from: the one asked for, or under load a smaller one where that is allowed.

        Raises:
            UnknownModelError: It is not served.
        """
        await self.cutting.catalogue.engine(asked)
        if not self.settings.step_down:
            return asked
        served = frozenset(await self.cutting.catalogue.engines())
        return admission.stepped_down(asked, self.cutting.megapixels, served)

    @asynccontextmanager
    async def upload(
        self, request: Request, *, text_forms: bool = False, max_bytes: int = 0, max_many: int = 0
    ) -> AsyncIterator[uploads.Upload]:
        """Read the body of a caller who has been admitted; its bytes are held while the block runs.

        Args:
            request: Its body has not been read.
            text_forms: Whether a body of text alone is believed to be a form; see ``uploads.read``.
            max_bytes: Largest body; 0 for an image's.
            max_many: How many files a form may have; see ``uploads.read``.

        Raises:
            BusyError: Too many bytes are under way; nothing has been read.
            InputError: The body is not acceptable.
        """
        self.answer_bytes.check()
        limit = max_bytes or self.settings.max_bytes
        with self.body_bytes.hold(uploads.announced_bytes(request, limit)):
            timeout_s = self.settings.upload_timeout_s
            yield await uploads.read(request, limit, timeout_s, text_forms=text_forms, max_many=max_many)

    def stages(self) -> Stages:
        """Return a new request's clock."""
        return Stages(self.metrics.observe_stage)


def of(request: Request) -> Gateway:
    """Return the gateway that a request came to."""
    gateway: Gateway = request.app.state.gateway
    return gateway
