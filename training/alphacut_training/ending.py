"""What a run does when it is told to end."""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType
from typing import Any

import lightning


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
