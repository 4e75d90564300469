"""The server alone: requests that are ready beforehand, as many at once as it can use, answers thrown away."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from types import TracebackType

import numpy as np
from tritonclient import grpc as triton
from tritonclient.utils import shared_memory

from alphacut_core import codec, geometry
from alphacut_core.contract import CONFIDENCE, DEFAULT_PIPELINE, ENCODED, OPTIONS, image_spec, mask_spec
from alphacut_core.options import Options

_CALLERS = 16
_SIZE = DEFAULT_PIPELINE.size


class Transport:
    """Sends the same images in three ways that differ in nothing but what carries them.

    Args:
        url: A server on this machine.
        images: Image files.
    """

    def __init__(self, url: str, images: Sequence[bytes]) -> None:
        self._client = triton.InferenceServerClient(url)
        self._outputs = [triton.InferRequestedOutput(name) for name in (mask_spec(_SIZE).name, CONFIDENCE.name)]
        wishes = Options().to_wire()
        self._files = [
            [_tensor(ENCODED.name, _bytes(image)), _tensor(OPTIONS.name, _bytes(wishes))] for image in images
        ]
        self._squares = [geometry.to_square(codec.decode(image), _SIZE) for image in images]
        self._pixels = [[_tensor(image_spec(_SIZE).name, square)] for square in self._squares]
        self._stack = ExitStack()

    def __enter__(self) -> Transport:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
        self._client.close()

    def files(self) -> None:
        """Send image files to the ensemble."""
        self._all(lambda index: self._infer(DEFAULT_PIPELINE.ensemble, self._files[index]))

    def pixels(self) -> None:
        """Send decoded and resized pixels to the engine, in messages."""
        self._all(lambda index: self._infer(DEFAULT_PIPELINE.engine, self._pixels[index]))

    def shared_memory(self) -> None:
        """Send the same pixels through system shared memory, a region for each caller."""
        with ThreadPoolExecutor(_CALLERS) as callers, ExitStack() as regions:
            names = list(range(_CALLERS))
            handles = [self._region(number, regions) for number in names]
            free = list(zip(names, handles, strict=True))
            lock = threading.Lock()

            def send(index: int) -> None:
                with lock:
                    number, handle = free.pop()
                shared_memory.set_shared_memory_region(handle, [self._squares[index][None]])
                tensor = triton.InferInput(image_spec(_SIZE).name, [1, *image_spec(_SIZE).dims], "UINT8")
                tensor.set_shared_memory(_region_name(number), self._squares[index].nbytes)
                self._infer(DEFAULT_PIPELINE.engine, [tensor])
                with lock:
                    free.append((number, handle))

            list(callers.map(send, range(len(self._squares))))

    def _all(self, send: Callable[[int], None]) -> None:
        with ThreadPoolExecutor(_CALLERS) as callers:
            list(callers.map(send, range(len(self._squares))))

    def _infer(self, model: str, inputs: list[triton.InferInput]) -> None:
        self._client.infer(model, inputs, outputs=self._outputs)

    def _region(self, number: int, stack: ExitStack) -> object:
        name, n_bytes = _region_name(number), self._squares[0].nbytes
        handle = shared_memory.create_shared_memory_region(name, f"/{name}", n_bytes)
        stack.callback(shared_memory.destroy_shared_memory_region, handle)
        self._client.register_system_shared_memory(name, f"/{name}", n_bytes)
        stack.callback(self._client.unregister_system_shared_memory, name)
        return handle


def _region_name(number: int) -> str:
    return f"alphacut-bench-{os.getpid()}-{number}"


def _bytes(content: bytes) -> np.ndarray:
    return np.frombuffer(content, np.uint8)


def _tensor(name: str, values: np.ndarray) -> triton.InferInput:
    tensor = triton.InferInput(name, [1, *values.shape], "UINT8")
    tensor.set_data_from_numpy(values[None])
    return tensor
