"""How busy the GPU is under load, by the driver's own count."""

from __future__ import annotations

import statistics
import subprocess
import threading
from types import TracebackType

_QUERY = ("nvidia-smi", "--id=0", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits")
_EVERY_S, _PATIENCE_S = 0.5, 5


class GpuUse:
    """Asks the driver again and again while the block runs."""

    def __init__(self, every_s: float = _EVERY_S) -> None:
        self._every_s = every_s
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, name="GPU use", daemon=True)
        self._seen: list[float] = []

    @property
    def share(self) -> float | None:
        """The part of the time in which any kernel ran, 0 to 1; None where the driver does not say.

        It is the median, so that what passes before and after the load does not count.
        """
        return statistics.median(self._seen) if self._seen else None

    def __enter__(self) -> GpuUse:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._ended.wait(self._every_s):
            try:
                asked = subprocess.run(_QUERY, capture_output=True, text=True, timeout=_PATIENCE_S, check=True)
                self._seen.append(float(asked.stdout) / 100)
            except (subprocess.SubprocessError, ValueError):
                continue  # a moment in which it does not say; the next may
            except OSError:
                return
