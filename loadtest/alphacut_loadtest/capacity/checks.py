"""Whether a measurement agrees with itself and with the server's own books."""

from __future__ import annotations

from dataclasses import dataclass

from alphacut_loadtest.capacity.trial import Trial
from alphacut_loadtest.measure.stages import by_stage, ensembles
from alphacut_loadtest.measure.triton import Counters

_LITTLE, _RATE = 0.10, 0.02
_FEW = 2


@dataclass(frozen=True, slots=True)
class Check:
    """Two ways to the same number.

    Attributes:
        name: What is compared.
        expected: By one way.
        got: By the other.
        tolerance: Largest relative difference.
        allowance: Or, for small numbers, largest absolute one.
    """

    name: str
    expected: float
    got: float
    tolerance: float
    allowance: float = 0.0

    @property
    def holds(self) -> bool:
        """Whether they agree."""
        return abs(self.got - self.expected) <= max(self.tolerance * abs(self.expected), self.allowance)


def checks(trial: Trial) -> list[Check]:
    """Return all that can be compared.

    Little's law, N = X W (J. D. C. Little, Operations Research 9, 1961): requests under way, which a clock of its own
    counts, against arrivals a second times the mean of their latency. And with Triton's page: requests that it
    counted against those that were sent.
    """
    seen = trial.window
    answered_s = seen.mean_latency_s * seen.good * seen.requests
    found = []
    if seen.good > 0.99:  # the time of others is not in the mean
        found.append(Check("Little: under way", answered_s / seen.duration_s, trial.in_flight, _LITTLE, 0.5))
    if trial.counters:
        # A gateway, and who sends pixels, ask the engine itself; what enters by an ensemble may fail before the engine.
        ways = (ensembles(trial.counters), by_stage(trial.counters).get("engine", Counters()))
        counted = max(entered.succeeded + entered.failed for entered in ways)
        # The supervisor of an embedded server asks now and then as well.
        found.append(Check("requests that Triton counted", trial.sent, counted, _RATE, _FEW + trial.wall_s / 2))
    return found
