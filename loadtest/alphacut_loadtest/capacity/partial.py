"""What is left of a capacity run that found no capacity."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from alphacut_core.errors import AlphacutError
from alphacut_loadtest.capacity.result import SCHEMA, Tried, content_of, trial_content
from alphacut_loadtest.capacity.trial import Trial
from alphacut_loadtest.digits import three

INTERRUPTED = "interrupted"


@dataclass(frozen=True, kw_only=True, slots=True)
class Partial(Tried):
    """What was tried until something ended it: nothing to plan by.

    Attributes:
        code: What ended it: an error's code, or ``interrupted``.
        why: The same in words.
        undecided: Trials of a rate that was not judged yet.
    """

    code: str
    why: str
    undecided: Sequence[Trial] = ()

    @property
    def trials(self) -> list[Trial]:
        """All open trials, also of the rate that was not judged yet."""
        return [*(trial for verdict in self.verdicts for trial in verdict.trials), *self.undecided]

    @property
    def highest_kept_per_s(self) -> float | None:
        """The highest rate that was kept once, which nothing confirms; None if none was."""
        return max((verdict.rate_per_s for verdict in self.verdicts if verdict.kept), default=None)

    def paragraph(self) -> str:
        """Say in words that stand alone that there is no capacity, why, and what was tried."""
        kept = self.highest_kept_per_s
        rates = "1 rate" if len(self.verdicts) == 1 else f"{len(self.verdicts)} rates"
        tried = f"{len(self.sweep)} numbers of callers and {rates} were tried"
        best = (
            "none of which was kept" if kept is None else f"the highest that was kept, once, is {three(kept)} a second"
        )
        short = self.verdicts[-1].shortage(self.slo) if self.verdicts else None
        return (
            f"NO CAPACITY was found for {self.slo} with the mix {self.scenario!r}: {self.why}. "
            f"{tried}{f', {best}' if self.verdicts else ''}; this is a partial result, and nothing to plan by."
            f"{f' The last trials were too short for this promise: {short}.' if short else ''}"
        )

    def to_json(self) -> str:
        """Return everything; times in seconds. There is no ``capacity_per_s``, and ``no_capacity`` says why."""
        content = content_of(self)
        ended = {"code": content.pop("code"), "why": content.pop("why")}
        content["undecided"] = [trial_content(one) for one in self.undecided]
        return json.dumps({"schema": SCHEMA, "partial": True, "no_capacity": ended, **content}, indent=1)


def ended_by(error: BaseException) -> tuple[str, str]:
    """Return code and words for what ended a run."""
    if isinstance(error, AlphacutError):
        return error.code, str(error).strip()
    return INTERRUPTED, "Ctrl-C ended the search"
