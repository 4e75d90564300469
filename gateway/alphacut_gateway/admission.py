"""How much is under way at once: what does not fit is refused before it costs anything."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from alphacut_gateway.refusals import BusyError
from alphacut_gateway.tier import Tier

_STEP_DOWN_AT = (0.5, 0.8)


class Budget:
    """An amount of something that requests hold while they are worked on; for one event loop.

    Args:
        capacity: How much all requests may hold together.
        unit: What is counted, for the message.
    """

    def __init__(self, capacity: float, unit: str) -> None:
        self.capacity = capacity
        self.held = 0.0
        self._unit = unit

    @contextmanager
    def hold(self, amount: float) -> Iterator[None]:
        """Hold ``amount`` while the block runs. What is larger than everything is let in when it is alone.

        Raises:
            BusyError: It does not fit now.
        """
        if self.held and self.held + amount > self.capacity:
            raise self._busy(f"are under way and this request needs {amount:,.1f}")
        with self.count(amount):
            yield

    def check(self) -> None:
        """Refuse what is begun while everything is held: for what is known only when it has been made.

        Raises:
            BusyError: Nothing is left.
        """
        if self.held >= self.capacity:
            raise self._busy("are under way")

    @contextmanager
    def count(self, amount: float) -> Iterator[None]:
        """Hold ``amount`` while the block runs, whether it fits or not: it is there."""
        self.held += amount
        try:
            yield
        finally:
            self.held -= amount
            if abs(self.held) < 1e-6:  # what adding and subtracting fractions leaves behind
                self.held = 0.0

    def _busy(self, why: str) -> BusyError:
        return BusyError(
            f"{self.held:,.0f} of {self.capacity:,.0f} {self._unit} {why}; "
            "send it again in a second, or to another gateway"
        )


def cost(width: int, height: int, tier: Tier) -> float:
    """Return what a picture holds of the budget, in megapixels.

    Decoding, rendering and encoding cost by the picture's own pixels, the engine by its square, whatever the
    picture: a full inference of the default network keeps a processor about as busy as one megapixel does.
    """
    return width * height / 1e6 + tier.weight


def stepped_down(tier: Tier, budget: Budget, available: frozenset[Tier]) -> Tier:
    """Return the tier to answer from under the present load: the one asked for, or a smaller one that is served."""
    share = budget.held / budget.capacity
    steps = sum(share >= threshold for threshold in _STEP_DOWN_AT)
    smaller = [each for each in tier.below() if each in available][:steps]
    return smaller[-1] if smaller else tier
