"""One job: what was asked, how far it is, what came of it."""

from __future__ import annotations

import dataclasses
import json
import re
import time
import uuid
from dataclasses import dataclass
from typing import Any, Literal

from alphacut_core.errors import AlphacutError
from alphacut_core.options import Options
from alphacut_gateway.tier import Tier

State = Literal["queued", "running", "done", "failed"]
Delivery = Literal["none", "pending", "delivered", "failed"]
Kind = Literal["work", "deliver"]
"""What there is to do for a job: make its picture, or announce its end."""

ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Job:
    """A job without its image and its result, which are kept beside it.

    Attributes:
        id: 32 hexadecimal digits that nobody can guess.
        caller: Who sent it, as ``alphacut_gateway.keys`` calls them; nobody else may see it.
        fingerprint: Digest of image and wishes: the same for the same request.
        created_at: When it was accepted, in seconds since 1970.
        model: The network that is asked.
        mode: The network's tier.
        wishes: The options, as ``Options.to_wire`` writes them.
        webhook: Where its end is announced; empty for nowhere.
        trace: The ``traceparent`` of the request that brought it, or nothing.
        state: How far it is.
        attempts: How often it was begun.
        error: Why it failed, as ``AlphacutError.to_wire`` writes it.
        media_type: Of the result.
        delivery: How far the announcement is.
        deliveries: How often the announcement was tried.
    """

    id: str
    caller: str
    fingerprint: str
    created_at: float
    model: str
    mode: str
    wishes: str
    webhook: str = ""
    trace: str = ""
    state: State = "queued"
    attempts: int = 0
    error: str = ""
    media_type: str = ""
    delivery: Delivery = "none"
    deliveries: int = 0

    @property
    def ended(self) -> bool:
        """Whether nothing more will come of it."""
        return self.state in ("done", "failed")

    @property
    def settled(self) -> bool:
        """Whether nothing more is to be done for it."""
        return self.ended and self.delivery != "pending"

    def supersedes(self, kept: Job) -> bool:
        """Say whether this state may take the place of the one that is kept, which another worker may have written.

        No end is followed by anything but its announcement, and that by nothing.
        """
        return (self.ended or not kept.ended) and kept.delivery != "delivered"

    @property
    def options(self) -> Options:
        """The wishes, parsed."""
        return Options.from_wire(self.wishes.encode())

    @property
    def tier(self) -> Tier:
        """Network and size."""
        return Tier(self.model, self.mode)  # type: ignore[arg-type]

    @property
    def failure(self) -> AlphacutError:
        """Why it failed, as the error that a request that waits would have been answered with."""
        return AlphacutError.from_wire(self.error) or AlphacutError(self.error)

    def described(self) -> dict[str, Any]:
        """Return what its owner and its webhook are told."""
        told: dict[str, Any] = {
            "id": self.id,
            "state": self.state,
            "created_at": self.created_at,
            "attempts": self.attempts,
            "model": self.model,
            "mode": self.mode,
            "webhook": self.delivery,
        }
        if self.state == "done":
            told["result"] = f"/v1/jobs/{self.id}/result"
        if self.state == "failed":
            told["error"] = {"code": self.failure.code, "message": str(self.failure)}
        return told

    def to_text(self) -> str:
        """Return it as JSON."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_text(cls, text: str | bytes) -> Job:
        """Read what ``to_text`` wrote."""
        return cls(**json.loads(text))


def new(*, caller: str, fingerprint: str, tier: Tier, options: Options, webhook: str, trace: str) -> Job:
    """Return a job that nobody has begun."""
    return Job(
        id=uuid.uuid4().hex,
        caller=caller,
        fingerprint=fingerprint,
        created_at=time.time(),
        model=tier.model,
        mode=tier.mode,
        wishes=options.to_wire().decode(),
        webhook=webhook,
        trace=trace,
        delivery="pending" if webhook else "none",
    )
