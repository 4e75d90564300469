"""CUDA's runtime and an execution context without a GPU: they move and compute real bytes, in this machine's memory."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

SIZE = 4
FAILURE = b"an illegal memory access was encountered"


def say(status: int) -> bytes:
    return FAILURE


class Cuda:
    """CUDA's runtime whose GPU is this machine's memory; what a stream has to do is done when somebody waits."""

    def __init__(self) -> None:
        self.memory: dict[int, Any] = {}
        self.streams: dict[int, list[Callable[[], None]]] = {}
        self.devices: list[int] = []
        self.failing = False
        self.goes_on = threading.Event()
        self.goes_on.set()

    def cudaSetDevice(self, device: int) -> int:  # noqa: N802
        self.devices.append(device)
        return 0

    def cudaStreamCreateWithFlags(self, handle: Any, flags: int) -> int:  # noqa: N802
        number = len(self.streams) + 1
        self.streams[number] = []
        handle._obj.value = number
        return 0

    def cudaMalloc(self, pointer: Any, size: ctypes.c_size_t) -> int:  # noqa: N802
        block = ctypes.create_string_buffer(size.value)
        self.memory[ctypes.addressof(block)] = block
        pointer._obj.value = ctypes.addressof(block)
        return 0

    def cudaMemcpyAsync(self, target: Any, source: Any, size: Any, direction: int, stream: Any) -> int:  # noqa: N802
        self.streams[stream.value].append(lambda: ctypes.memmove(target, source, size.value))
        return 0

    def cudaStreamSynchronize(self, stream: Any) -> int:  # noqa: N802
        assert self.goes_on.wait(60)
        if self.failing:
            return 700
        for work in self.streams[stream.value]:
            work()
        self.streams[stream.value].clear()
        return 0

    def __getattr__(self, name: str) -> Callable[..., Any]:
        assert name in {"cudaHostRegister", "cudaHostUnregister", "cudaFree", "cudaStreamDestroy", "cudaGetErrorString"}
        return say if name == "cudaGetErrorString" else lambda *arguments: 0


class Context:
    """An execution context whose masks are the pictures' red channel, and whose confidences are its first pixels."""

    def __init__(self, library: Cuda) -> None:
        self.library, self.addresses, self.batches = library, {}, []

    def set_tensor_address(self, name: str, address: int) -> bool:
        self.addresses[name] = address
        return True

    def set_input_shape(self, name: str, shape: tuple[int, ...]) -> bool:
        assert (name, shape[1:]) == ("IMAGE", (SIZE, SIZE, 3))
        self.batches.append(shape[0])
        return True

    def execute_async_v3(self, stream: int) -> bool:
        rows = self.batches[-1]

        def work() -> None:
            images = np.frombuffer(self.library.memory[self.addresses["IMAGE"]], np.uint8)
            red = images[: rows * SIZE * SIZE * 3].reshape(rows, SIZE, SIZE, 3)[..., 0]
            masks = np.frombuffer(self.library.memory[self.addresses["MASK"]], np.uint8)
            masks[: red.size] = red.ravel()
            sure = np.frombuffer(self.library.memory[self.addresses["CONFIDENCE"]], np.float32)
            sure[:rows] = red[:, 0, 0] / 255

        self.library.streams[stream].append(work)
        return True
