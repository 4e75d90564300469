"""What a run does when it is told to end, or has come to nothing."""

from __future__ import annotations

import math
import os
import signal
import threading
from types import FrameType
from typing import Any

import lightning
from lightning.pytorch.trainer.states import TrainerFn

from alphacut_core.errors import EngineBuildError


class EndsAtOnce(lightning.Callback):
    """Ends this process and those that it started when SIGTERM comes, as containers and job managers send it.

    Lightning's own handler tells the other processes by a broadcast from inside the handler; that waits for ever where
    the signal comes during another exchange. Nothing has to be saved: the last whole epoch is on the disk.
    """

    def on_fit_start(self, trainer: lightning.Trainer, _module: lightning.LightningModule) -> None:
        """Take the place of Lightning's handler, which Lightning itself puts back after the run."""

        def end(number: int, _frame: FrameType | None) -> None:
            launcher: Any = trainer.strategy.launcher
            if launcher is not None:
                launcher.kill(signal.SIGKILL)
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

        if threading.current_thread() is threading.main_thread():  # no other can take signals, Lightning's neither
            signal.signal(signal.SIGTERM, end)


class EndsWithoutNumbers(lightning.Callback):
    """Ends a run whose network gives NaN, which no further step can mend, before anything of that epoch is kept."""

    def on_validation_end(self, trainer: lightning.Trainer, _module: lightning.LightningModule) -> None:
        """Look at the masks' error, which is a number only where all masks are numbers.

        Raises:
            EngineBuildError: It is none.
        """
        if math.isfinite(float(trainer.callback_metrics["mae"])):
            return
        if trainer.state.fn == TrainerFn.VALIDATING:
            raise EngineBuildError("the network to start from gives NaN; give another one")
        epoch = trainer.current_epoch
        kept = ", into another --output; checkpoints/best.ckpt has the best epoch before" if epoch else ""
        raise EngineBuildError(
            f"the network gives NaN after epoch {epoch + 1}, which no further step can mend; train with a lower "
            f"--learning-rate, or with --precision fp32{kept}"
        )
