"""The time that a run may take."""

from __future__ import annotations

from datetime import timedelta

from lightning.pytorch.callbacks import Timer

_SECONDS = 60.0


class Clock(Timer):
    """Ends training when its time is over; a resumed run goes on with what the last checkpoint had left.

    Args:
        minutes: Of training, the checks between epochs included; None for as long as it takes.
    """

    def __init__(self, minutes: float | None) -> None:
        super().__init__(None if minutes is None else timedelta(minutes=minutes), interval="step", verbose=False)
        self._budget_s = None if minutes is None else minutes * _SECONDS

    @property
    def progress(self) -> float:
        """How much of the time is over, 0 to 1; always 0 without a limit."""
        return 0.0 if self._budget_s is None else min(1.0, self.time_elapsed() / self._budget_s)
