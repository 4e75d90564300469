"""A place on a GPU where batches of squares become masks, for TensorRT and TensorRT-RTX alike.

Neither is imported: whoever has loaded an engine hands over one of its execution contexts.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alphacut_core import cuda
from alphacut_core.contract import CONFIDENCE, image_spec, mask_spec
from alphacut_core.errors import EngineError
from alphacut_core.geometry import Pixels


class Lane:
    """An execution context with a stream and buffers of its own. Not thread-safe; several work side by side.

    Attributes:
        images: uint8 (batch, S, S, 3) RGB; fill the first rows before ``run``.
    """

    def __init__(self, library: ctypes.CDLL, context: Any, size: int, batch: int) -> None:
        """Allocate what the largest batch needs.

        Args:
            library: What ``cuda.load`` returned.
            context: An ``IExecutionContext`` of an engine with the tensors of the wire contract.
            size: Side S of its square input in pixels.
            batch: Rows of the largest batch.

        Raises:
            EngineError: The GPU fails, or the engine has other tensors.
        """
        self._context = context
        self._stream = cuda.Stream(library)
        self._image_name = image_spec(size).name
        self._image, self._mask, self._confidence = (
            self._bind(library, spec.name, (batch, *spec.dims), dtype)
            for spec, dtype in ((image_spec(size), np.uint8), (mask_spec(size), np.uint8), (CONFIDENCE, np.float32))
        )
        self.images: Pixels = self._image.host

    def run(self, rows: int) -> tuple[Pixels, NDArray[np.float32]]:
        """Run the first ``rows`` of ``images``; return masks uint8 (rows, S, S) and confidences float32 (rows, 1).

        Raises:
            EngineError: The engine or the GPU fails.
        """
        self._image.upload(rows)
        shape = (rows, *self.images.shape[1:])
        if not self._context.set_input_shape(self._image_name, shape) or not self._context.execute_async_v3(
            self._stream.handle
        ):
            raise EngineError(f"the engine refuses a batch of {rows}; the runtime has logged why")
        self._mask.download(rows)
        self._confidence.download(rows)
        self._stream.wait()
        return self._mask.host[:rows].copy(), self._confidence.host[:rows].copy()

    def _bind(self, library: ctypes.CDLL, name: str, shape: tuple[int, ...], dtype: type[np.generic]) -> cuda.Buffer:
        buffer = cuda.Buffer(library, shape, dtype, self._stream.handle)
        if not self._context.set_tensor_address(name, buffer.address):
            raise EngineError(f"the engine has no tensor {name}; build it again: alphacut build --force")
        return buffer
