"""The server without Alphacut's client: requests that are ready beforehand, from so many callers at once."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from queue import SimpleQueue
from types import TracebackType

import numpy as np
from tritonclient import grpc as triton
from tritonclient.utils import shared_memory

from alphacut_core import codec, geometry, render
from alphacut_core.contract import CONFIDENCE, DEFAULT_PIPELINE, ENCODED, OPTIONS, image_spec, mask_spec
from alphacut_core.loopback import NO_PROXY
from alphacut_core.options import Options

_SIZE = DEFAULT_PIPELINE.size


class Transport:
    """Sends the same images in ways that differ in what carries them, and in what becomes of the masks.

    Each takes how many callers send at once, and the first of the images.

    Args:
        url: A server on this machine.
        images: Image files.
    """

    def __init__(self, url: str, images: Sequence[bytes]) -> None:
        self._client = triton.InferenceServerClient(url, channel_args=[NO_PROXY])
        self._outputs = [triton.InferRequestedOutput(name) for name in (mask_spec(_SIZE).name, CONFIDENCE.name)]
        wishes = Options().to_wire()
        self._files = [
            [_tensor(ENCODED.name, _bytes(image)), _tensor(OPTIONS.name, _bytes(wishes))] for image in images
        ]
        self._squares = [geometry.to_square(codec.decode(image), _SIZE) for image in images]
        self._pixels = [[_tensor(image_spec(_SIZE).name, square)] for square in self._squares]

    def __enter__(self) -> Transport:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def masks(self, callers: int, files: Sequence[bytes]) -> None:
        """Send image files to the ensemble and throw the masks away."""
        self._all(callers, files, lambda index: self._infer(DEFAULT_PIPELINE.ensemble, self._files[index]))

    def cutouts(self, callers: int, files: Sequence[bytes]) -> None:
        """Send image files to the ensemble, decode them meanwhile, and make of each the PNG of its cut-out."""
        wishes = Options()

        with ThreadPoolExecutor(callers) as under_way:

            def cut(index: int) -> None:
                asked = under_way.submit(self._infer, DEFAULT_PIPELINE.ensemble, self._files[index])
                picture = codec.decode(files[index])
                mask = asked.result().as_numpy(mask_spec(_SIZE).name)[0]
                render.encode(render.render(picture, mask, wishes), wishes)

            self._all(callers, files, cut)

    def pixels(self, callers: int, files: Sequence[bytes]) -> None:
        """Send decoded and resized pixels to the engine, in messages."""
        self._all(callers, files, lambda index: self._infer(DEFAULT_PIPELINE.engine, self._pixels[index]))

    def shared_memory(self, callers: int, files: Sequence[bytes]) -> None:
        """Send the same pixels through system shared memory, a region for each caller."""
        with ExitStack() as regions:
            free: SimpleQueue[tuple[int, object]] = SimpleQueue()
            for number in range(callers):
                free.put((number, self._region(number, regions)))

            def send(index: int) -> None:
                number, handle = free.get()
                shared_memory.set_shared_memory_region(handle, [self._squares[index][None]])
                tensor = triton.InferInput(image_spec(_SIZE).name, [1, *image_spec(_SIZE).dims], "UINT8")
                tensor.set_shared_memory(_region_name(number), self._squares[index].nbytes)
                self._infer(DEFAULT_PIPELINE.engine, [tensor])
                free.put((number, handle))

            self._all(callers, files, send)

    def _all(self, callers: int, files: Sequence[bytes], send: Callable[[int], object]) -> None:
        with ThreadPoolExecutor(callers) as pool:
            list(pool.map(send, range(len(files))))

    def _infer(self, model: str, inputs: list[triton.InferInput]) -> triton.InferResult:
        return self._client.infer(model, inputs, outputs=self._outputs)

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
