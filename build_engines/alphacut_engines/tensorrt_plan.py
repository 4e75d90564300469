"""A plan on the GPU that it was built for, so that the gate judges what Triton will serve."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alphacut_core.contract import CONFIDENCE, image_spec, mask_spec
from alphacut_core.errors import EngineBuildError
from alphacut_core.geometry import Pixels
from alphacut_engines import cuda, tensorrt_engine

_DEFAULT_STREAM = 0


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
            EngineBuildError: The plan does not load, or the GPU fails.
        """
        # Log and runtime must live as long as the engine, which keeps no hold of them.
        self._log = tensorrt_engine.make_log(trt)
        self._runtime = trt.Runtime(self._log)
        self._engine = self._runtime.deserialize_cuda_engine(plan)
        if self._engine is None:
            raise EngineBuildError(f"stage gate: the plan that was just built does not load: {self._log.last()}")
        self._context = self._engine.create_execution_context()
        image, mask = image_spec(size), mask_spec(size)
        self._image = cuda.Buffer(library, (1, *image.dims), np.uint8)
        self._mask = cuda.Buffer(library, (1, *mask.dims), np.uint8)
        self._confidence = cuda.Buffer(library, (1, *CONFIDENCE.dims), np.float32)
        self._context.set_input_shape(image.name, self._image.host.shape)
        for spec, buffer in ((image, self._image), (mask, self._mask), (CONFIDENCE, self._confidence)):
            if not self._context.set_tensor_address(spec.name, buffer.address):
                raise EngineBuildError(f"stage gate: the plan has no tensor {spec.name}: {self._log.last()}")

    def masks(self, pictures: Pixels) -> tuple[Pixels, NDArray[np.float32]]:
        """Run uint8 (N, S, S, 3) one by one; return masks uint8 (N, S, S) and confidences float32 (N, 1)."""
        masks, confidences = [], []
        for picture in pictures:
            self._image.host[0] = picture
            self._image.upload()
            if not self._context.execute_async_v3(_DEFAULT_STREAM):
                raise EngineBuildError(f"stage gate: the plan fails on the GPU: {self._log.last()}")
            self._mask.download()
            self._confidence.download()
            masks.append(self._mask.host[0].copy())
            confidences.append(self._confidence.host[0].copy())
        return np.stack(masks), np.stack(confidences)
