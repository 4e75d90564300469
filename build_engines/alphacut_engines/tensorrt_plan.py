"""A plan on the GPU that it was built for, so that the gate judges what Triton will serve."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alphacut_core.errors import EngineBuildError
from alphacut_core.geometry import Pixels
from alphacut_core.lane import Lane
from alphacut_engines import tensorrt_engine


class TensorRtEngine:
    """A plan that runs single pictures. Not thread-safe."""

    def __init__(self, trt: Any, plan: bytes, size: int, library: ctypes.CDLL) -> None:
        """Load ``plan``.

        Args:
            trt: TensorRT's module.
            plan: What ``tensorrt_engine.build`` returned on this machine.
            size: Side of its square input in pixels.
            library: CUDA's runtime.

        Raises:
            EngineBuildError: The plan does not load.
            EngineError: The GPU fails.
        """
        # Log and runtime must live as long as the engine, which keeps no hold of them.
        self._log = tensorrt_engine.make_log(trt)
        self._runtime = trt.Runtime(self._log)
        self._engine = self._runtime.deserialize_cuda_engine(plan)
        if self._engine is None:
            raise EngineBuildError(f"stage gate: the plan that was just built does not load: {self._log.last()}")
        self._lane = Lane(library, self._engine.create_execution_context(), size, batch=1)

    def masks(self, pictures: Pixels) -> tuple[Pixels, NDArray[np.float32]]:
        """Run uint8 (N, S, S, 3) one by one; return masks uint8 (N, S, S) and confidences float32 (N, 1)."""
        masks, confidences = [], []
        for picture in pictures:
            self._lane.images[0] = picture
            mask, confidence = self._lane.run(1)
            masks.append(mask[0])
            confidences.append(confidence[0])
        return np.stack(masks), np.stack(confidences)
