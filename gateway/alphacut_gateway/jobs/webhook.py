"""Announcing that a job has ended, so that the receiver can tell it from a forgery."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Callable

from alphacut_gateway.fetching.calling import Caller
from alphacut_gateway.jobs.job import Job
from alphacut_gateway.refusals import AddressError, ForbiddenError

TIMESTAMP = "X-Alphacut-Timestamp"
SIGNATURE = "X-Alphacut-Signature"
DELIVERY = "X-Alphacut-Delivery"


def signature(secret: str, timestamp: int, content: bytes) -> str:
    """Return what stands in ``X-Alphacut-Signature``: HMAC-SHA256 of the time, a dot, and the body.

    Args:
        secret: Known to both sides.
        timestamp: Seconds since 1970, as in ``X-Alphacut-Timestamp``; receivers refuse old ones.
        content: The body, byte for byte.
    """
    signed = f"{timestamp}.".encode() + content
    return f"v1={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"


class Webhooks:
    """Announces ends of jobs.

    Args:
        caller: Calls the hosts that may be told.
        secret: Key of the signatures.
        clock: Seconds since 1970.
    """

    def __init__(self, caller: Caller, secret: str, clock: Callable[[], float] = time.time) -> None:
        self._caller = caller
        self._secret = secret
        self._clock = clock

    def check(self, url: str) -> None:
        """Refuse an address that would not be called, when the job is sent.

        Raises:
            ForbiddenError: No webhooks are sent from here.
            AddressError: It is not on the list.
        """
        if self._caller.allowed.nothing:
            raise ForbiddenError("webhooks are switched off here; leave webhook out and ask for the job's state")
        self._caller.allowed.check(url)

    async def announce(self, job: Job) -> None:
        """Tell a job's webhook how it ended.

        Raises:
            AddressError: It was not told: the receiver is away, or did not answer with a status of 2xx.
        """
        content = json.dumps(job.described()).encode()
        timestamp = int(self._clock())
        headers = {
            "Content-Type": "application/json",
            TIMESTAMP: str(timestamp),
            SIGNATURE: signature(self._secret, timestamp, content),
            DELIVERY: job.id,
        }
        if job.trace:
            headers["traceparent"] = job.trace
        status = await self._caller.post(job.webhook, content, headers)
        if not 200 <= status < 300:
            raise AddressError(f"the webhook answered with status {status}")
