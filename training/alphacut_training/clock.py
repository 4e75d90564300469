"""The time that a run may take."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import lightning
from lightning.pytorch.callbacks import Timer

_SECONDS = 60.0


class Clock(Timer):
    """Ends training when its time is over; a resumed run goes on with what the last checkpoint had left.

    Args:
        minutes: Of training, the checks between epochs included; None for as long as it takes.

    Attributes:
        progress: How much of the time was over, 0 to 1, at the last step's end, by the first device's clock, so that
            all devices take the same steps; always 0 without a limit.
    """

    def __init__(self, minutes: float | None) -> None:
        super().__init__(None if minutes is None else timedelta(minutes=minutes), interval="step", verbose=False)
        self._budget_s = None if minutes is None else minutes * _SECONDS

        self.progress = 0.0

    def on_train_batch_end(self, trainer: lightning.Trainer, *arguments: Any, **options: Any) -> None:
        """Look at the clock, and end training when its time is over."""
        self.progress = trainer.strategy.broadcast(self._share())
        super().on_train_batch_end(trainer, *arguments, **options)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on with the time that was spent before."""
        super().load_state_dict(state_dict)
        self.progress = self._share()

    def _share(self) -> float:
        return 0.0 if self._budget_s is None else min(1.0, self.time_elapsed() / self._budget_s)
