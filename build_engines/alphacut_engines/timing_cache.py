"""What TensorRT has timed on this GPU before, kept so that the next build need not time it again."""

from __future__ import annotations

import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from alphacut_core.errors import EngineBuildError
from alphacut_engines import fetch
from alphacut_engines.gpu import Gpu


@dataclass(frozen=True, slots=True)
class TimingCache:
    """One file, good for one kind of GPU and one version of TensorRT."""

    path: Path

    @classmethod
    def of(cls, gpu: Gpu, tensorrt_version: str) -> TimingCache:
        """Return the one for this GPU and version, in the user's cache."""
        name = re.sub(r"[^A-Za-z0-9.]+", "-", f"{gpu.name} {gpu.compute_capability} tensorrt {tensorrt_version}")
        return cls(fetch.cache_folder().with_name("timings") / f"{name}.cache")

    def read(self) -> bytes:
        """Return what was kept; nothing at first, or where it cannot be read: timing anew costs minutes only."""
        try:
            return self.path.read_bytes()
        except OSError:
            return b""

    def write(self, content: bytes) -> None:
        """Keep ``content``, whole or not at all; of two builds at once the later one's stays.

        Raises:
            EngineBuildError: No space, no permission.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self.path.parent, delete=False) as file:
                try:
                    file.write(content)
                    file.close()
                    Path(file.name).replace(self.path)
                except OSError:
                    os.unlink(file.name)
                    raise
        except OSError as error:
            raise EngineBuildError(
                f"stage engine: cannot keep timings in {self.path}: {error.strerror}; free space, or set ALPHACUT_HOME"
            ) from error
