"""The highest rate at which an SLO is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from alphacut_core.errors import AlphacutError
from alphacut_loadtest.capacity.trial import Target, Trial
from alphacut_loadtest.digits import three
from alphacut_loadtest.measure import enough
from alphacut_loadtest.traffic.slo import Slo

BREAK_FACTOR = 1.3
REPEATS = 3
RESOLUTION = 0.08
_FIRST_SHARE, _STEP = 0.75, 1.25
_MOST_RATES = 16
_MOST_CONFIRMATIONS = 5
_STEP_BACK = 0.95
_CONFIRMING_SEED = 1000
CLIENT_REMEDY = "this is no result: give more --processes, or send from another machine"


class ClientLimitError(AlphacutError):
    """The machine that sends was the limit, so nothing was learnt about the server."""

    code = "client-limit"


class NoCapacityError(AlphacutError):
    """The SLO is not kept at any rate."""

    code = "no-capacity"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the trials at one rate say together.

    Attributes:
        rate_per_s: Requests a second that were asked for.
        kept: Whether the SLO was kept in most of them.
        trials: One for each seed.
    """

    rate_per_s: float
    kept: bool
    trials: tuple[Trial, ...]

    def shortage(self, slo: Slo) -> str | None:
        """Return why trials were too short for the strictest percentile, and what to do; None if they were not."""
        return enough.shortage(slo, self.rate_per_s, self.trials[0].window.duration_s)


@dataclass(slots=True)
class Search:
    """Looks for the rate; each rate is judged by the majority of trials of different seeds.

    Args:
        target: What is under load.
        slo: What it has to keep.
        repeats: Trials at each rate, fewer once the majority is clear.
        resolution: How close together the highest rate that is kept and the lowest that is not have to be.
        report: Called with each verdict.
        verdicts: Receives them, too.
        undecided: Holds the trials of a rate that is not judged yet.
    """

    target: Target
    slo: Slo
    repeats: int = REPEATS
    resolution: float = RESOLUTION
    report: Callable[[Verdict], None] = lambda verdict: None
    verdicts: list[Verdict] = field(default_factory=list)
    undecided: list[Trial] = field(default_factory=list)

    def run(self, ceiling_per_s: float) -> float:
        """Return the highest rate found to be kept.

        Args:
            ceiling_per_s: A guess: the highest throughput that closed callers saw.

        Raises:
            ClientLimitError: The client was the limit.
            NoCapacityError: Even a fiftieth of the guess is too much.
        """
        low, high = 0.0, float("inf")
        rate = _FIRST_SHARE * ceiling_per_s
        for _ in range(_MOST_RATES):
            if self.judge(rate).kept:
                low = max(low, rate)
            else:
                high = min(high, rate)
            if high <= low * (1 + self.resolution):
                break
            if high < ceiling_per_s / 50:
                raise NoCapacityError(
                    f"the SLO {self.slo} is not kept even at {three(high)} a second, where requests do not wait for "
                    "each other; promise less, or a faster engine, smaller pictures, another tier"
                )
            # Towards the unknown side by steps, between two known rates by halves.
            rate = low * _STEP if high == float("inf") else (low + high) / 2 if low else high / _STEP**2
        return low

    def confirm(self, rate_per_s: float) -> tuple[Verdict, Verdict]:
        """Return verdicts, with arrivals not seen before, at the highest rate that is kept, and at 1.3 of it.

        A rate that is not confirmed is lowered by 5 %.

        Raises:
            NoCapacityError: No rate near this one is kept again: the machine is not steady enough.
        """
        for attempt in range(1, _MOST_CONFIRMATIONS + 1):
            kept = self.judge(rate_per_s, attempt * _CONFIRMING_SEED)
            if kept.kept:
                return kept, self.judge(BREAK_FACTOR * rate_per_s, attempt * _CONFIRMING_SEED)
            rate_per_s *= _STEP_BACK
        raise NoCapacityError(
            f"no rate down to {three(kept.rate_per_s)} a second is kept twice; something else works on this machine, "
            "or trials are too short: end it, or give a longer --trial"
        )

    def judge(self, rate_per_s: float, first_seed: int = 0) -> Verdict:
        """Try one rate."""
        trials = self.undecided
        for trial in self._trials(rate_per_s, first_seed):
            trials.append(trial)
            kept = sum(not one.misses(self.slo) for one in trials)
            if 2 * max(kept, len(trials) - kept) > self.repeats:
                break
        verdict = Verdict(rate_per_s, 2 * kept > len(trials), tuple(trials))
        self.verdicts.append(verdict)
        trials.clear()
        self.report(verdict)
        return verdict

    def _trials(self, rate_per_s: float, first_seed: int) -> Iterator[Trial]:
        for number in range(self.repeats):
            trial = self.target.open(rate_per_s, first_seed + number)
            if not trial.window.requests:
                raise NoCapacityError(
                    f"at {three(rate_per_s)} a second none came in {trial.window.duration_s:g} s; give a longer --trial"
                )
            if trial.client_limit and not trial.blames_server(self.slo):
                raise ClientLimitError(f"{trial.client_limit}; {CLIENT_REMEDY}")
            yield trial
