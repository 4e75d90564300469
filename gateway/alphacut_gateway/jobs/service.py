"""Jobs as callers see them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from alphacut_core.options import Options
from alphacut_gateway.jobs import job as jobs
from alphacut_gateway.jobs.job import Job
from alphacut_gateway.jobs.records import Queue, Records
from alphacut_gateway.jobs.webhook import Webhooks
from alphacut_gateway.refusals import JobReusedError, JobUnfinishedError, JobUnknownError
from alphacut_gateway.tier import Tier

_FILE_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Jobs:
    """Takes jobs in and tells what became of them.

    Attributes:
        records: Where they are kept.
        queue: Who does them.
        webhooks: Where their ends are announced.
    """

    records: Records
    queue: Queue
    webhooks: Webhooks

    async def submit(
        self,
        image: bytes,
        *,
        n_pixels: int,
        caller: str,
        tier: Tier,
        options: Options,
        webhook: str,
        trace: str,
        key: str,
    ) -> Job:
        """Accept a job: when this returns, it will be done whoever is killed.

        Args:
            image: The file, which has passed the limits.
            n_pixels: Width x height.
            caller: Who sends it.
            tier: Network and size.
            options: What to make of it.
            webhook: Where to announce its end, or nothing.
            trace: ``traceparent`` of the request, or nothing.
            key: Idempotency key, or nothing. With one that the caller has used before, this is that job.

        Raises:
            JobReusedError: The key belongs to another request.
            AddressError: The webhook is not on the list.
            ForbiddenError: There are no webhooks here.
            BusyError: There is no room.
            UnavailableError: The store or the queue is away; nothing is promised.
        """
        if webhook:
            self.webhooks.check(webhook)
        wishes = f"{tier.model}\0{tier.mode}\0{webhook}\0".encode() + options.to_wire()
        fingerprint = hashlib.sha256(hashlib.sha256(image).digest() + wishes).hexdigest()
        asked = jobs.new(
            caller=caller, fingerprint=fingerprint, tier=tier, options=options, webhook=webhook, trace=trace
        )
        # No file is larger than its pixels and a little; a colour profile was the image's, which is kept no longer.
        result_bytes = n_pixels * (1 if options.output == "mask" else 4) + _FILE_BYTES
        kept = await self.records.create(asked, image, key, result_bytes)
        if kept.fingerprint != fingerprint:
            raise JobReusedError("got an Idempotency-Key of another request; use a new one for each")
        if kept.state == "queued":
            # Also for one that is known: whoever kept it may have died before this. Twice does no harm.
            await self.queue.put("work", kept.id)
        return kept

    async def find(self, job_id: str, caller: str) -> Job:
        """Return a job of this caller's.

        Raises:
            JobUnknownError: There is none, or it is somebody else's.
        """
        found = await self.records.read(job_id) if jobs.ID.fullmatch(job_id) else None
        if found is None or found.caller != caller:
            raise JobUnknownError(f"there is no job {job_id[:40]!r}; jobs are kept for some time only")
        return found

    async def result(self, job_id: str, caller: str) -> tuple[Job, bytes]:
        """Return a job that is done, and its picture.

        Raises:
            JobUnknownError: There is no such job, or its result is kept no longer.
            JobUnfinishedError: It is not done yet.
            AlphacutError: It failed, and this is why.
        """
        found = await self.find(job_id, caller)
        if found.state == "failed":
            raise found.failure
        if not found.ended:
            raise JobUnfinishedError(f"the job is {found.state}; ask again in a second")
        content = await self.records.result(job_id)
        if content is None:
            raise JobUnknownError("the result is kept no longer; send the image again")
        return found, content
