"""What keeps jobs: the protocol that Redis and SQLite fill in."""

from __future__ import annotations

from typing import Protocol

from alphacut_gateway.jobs.job import Job, Kind


class Records(Protocol):
    """Jobs, their images and results, for as long as they are kept."""

    durable: bool
    """Whether jobs outlive the processes that serve them."""

    async def create(self, job: Job, image: bytes, idempotency_key: str, result_bytes: int) -> Job:
        """Keep a job, unless the same caller has sent one with this key before; return the one that is kept.

        When this returns, the job and its image are kept.

        Args:
            job: A new job.
            image: The file that it is about.
            idempotency_key: What the caller calls this request; empty for nothing.
            result_bytes: How large its result can become; room for it is kept too.

        Raises:
            BusyError: There is no room.
            UnavailableError: The store is away.
        """

    async def read(self, job_id: str) -> Job | None:
        """Return a job, or None where there is none any more."""

    async def write(self, job: Job) -> None:
        """Keep a job's new state, unless it is kept no longer or what is kept goes before it."""

    async def image(self, job_id: str) -> bytes | None:
        """Return a job's image while it has not ended."""

    async def result(self, job_id: str) -> bytes | None:
        """Return a job's result."""

    async def finish(self, job: Job, result: bytes | None) -> None:
        """Keep a job's end and its result at once, and forget its image; nothing, if it has ended already."""


class Queue(Protocol):
    """What there is to do."""

    async def put(self, kind: Kind, job_id: str) -> None:
        """See to it that somebody does this, at least once, whoever is killed.

        Raises:
            UnavailableError: The queue is away; nothing was promised.
        """
