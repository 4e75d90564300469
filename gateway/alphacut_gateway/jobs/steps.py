"""What is done for a job, whoever does it: each step may be done twice, and dies with its process at any line."""

from __future__ import annotations

import dataclasses
import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from alphacut_core.errors import AlphacutError, InferenceError, OverloadedError, ServerError, UnavailableError
from alphacut_gateway import media
from alphacut_gateway.cutting import Cutting
from alphacut_gateway.jobs.job import Job, Kind
from alphacut_gateway.jobs.records import Records
from alphacut_gateway.jobs.webhook import Webhooks
from alphacut_gateway.refusals import AddressError, BusyError
from alphacut_gateway.stages import Stages

LOGGER = logging.getLogger("alphacut.gateway")

_LONGEST_PAUSE_S = 60.0
_LONGEST_OUTAGE_PAUSE_S = 15.0


@dataclass(frozen=True, slots=True)
class Again:
    """The same step has to be done again, after a while."""

    delay_s: float


@dataclass(frozen=True, slots=True)
class Then:
    """This step is done; another follows, or none."""

    step: Kind | None = None


Outcome = Again | Then


@dataclass(frozen=True, slots=True)
class Steps:
    """The steps.

    Attributes:
        records: Where jobs are kept.
        cutting: Makes the pictures.
        webhooks: Announces the ends.
        max_attempts: How often either is begun.
        patience_s: How old a job may become while there is no server for it.
        clock: Seconds since 1970.
    """

    records: Records
    cutting: Cutting
    webhooks: Webhooks
    max_attempts: int
    patience_s: float
    clock: Callable[[], float] = time.time

    async def take(self, kind: Kind, job_id: str) -> Outcome:
        """Do a step of a job.

        Raises:
            UnavailableError: The store of jobs is away.
        """
        job = await self.records.read(job_id)
        if job is None:
            return Then()  # it has expired
        return await (self._work(job) if kind == "work" else self._deliver(job))

    async def _work(self, job: Job) -> Outcome:
        if job.ended:  # by somebody who died before saying so
            return self._announced(job)
        image = await self.records.image(job.id)
        if image is None:
            return Then()
        return await self._attempt(dataclasses.replace(job, state="running", attempts=job.attempts + 1), image)

    async def _attempt(self, job: Job, image: bytes) -> Outcome:
        if job.attempts > self.max_attempts:
            lost = InferenceError(f"the job was begun {self.max_attempts} times and ended its worker each time")
            return await self._end(job, lost, None)
        # Counted before it is begun: a picture that kills its worker must not do so for ever.
        await self.records.write(job)
        try:
            result = await self._picture(job, image)
        except (UnavailableError, OverloadedError, BusyError) as error:
            # The image is not to blame and an outage can take long: this does not count as an attempt.
            age_s = self.clock() - job.created_at
            if age_s > self.patience_s:
                return await self._end(job, error, None)
            await self.records.write(dataclasses.replace(job, state="queued", attempts=job.attempts - 1))
            # By the clock of another machine, or one that was put back, a job may have come from the future.
            return Again(min(_LONGEST_OUTAGE_PAUSE_S, 1 + max(0.0, age_s) / 4))
        except AlphacutError as error:
            if not isinstance(error, ServerError) or job.attempts == self.max_attempts:
                return await self._end(job, error, None)
            await self.records.write(dataclasses.replace(job, state="queued"))
            return Again(_pause_s(job.attempts))
        return await self._end(job, None, result)

    async def _picture(self, job: Job, image: bytes) -> bytes:
        stages = Stages(lambda _stage, _seconds: None)
        options = job.options
        async with self.cutting.matte(image, job.tier, options.decode, stages) as matte:
            rendered = await self.cutting.render(matte, options, stages)
            return await self.cutting.encode(rendered, options, stages)

    async def _end(self, job: Job, error: AlphacutError | None, result: bytes | None) -> Outcome:
        if error is None:
            ended = dataclasses.replace(job, state="done", media_type=media.TYPES[job.options.format])
        else:
            ended = dataclasses.replace(job, state="failed", error=error.to_wire())
        await self.records.finish(ended, result)
        _log("job-ended", ended)
        return self._announced(ended)

    def _announced(self, job: Job) -> Outcome:
        return Then("deliver" if job.delivery == "pending" else None)

    async def _deliver(self, job: Job) -> Outcome:
        if job.delivery != "pending":
            return Then()
        tries = job.deliveries + 1
        try:
            await self.webhooks.announce(job)
        except AddressError:
            over = tries >= self.max_attempts
            told = dataclasses.replace(job, deliveries=tries, delivery="failed" if over else "pending")
            await self.records.write(told)
            _log("webhook-failed", told)
            return Then() if over else Again(_pause_s(tries))
        await self.records.write(dataclasses.replace(job, deliveries=tries, delivery="delivered"))
        return Then()


def _pause_s(attempts: int) -> float:
    return min(_LONGEST_PAUSE_S, float(2 ** (attempts - 1)))


def _log(event: str, job: Job) -> None:
    line = {"event": event, "job": job.id, "state": job.state, "attempts": job.attempts, "deliveries": job.deliveries}
    if job.error:
        line["code"] = job.failure.code
    if job.trace:
        line["trace_id"] = job.trace.split("-")[1]
    LOGGER.info("%s", json.dumps(line))
