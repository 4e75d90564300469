"""Memory and streams on an NVIDIA GPU, by the few functions of CUDA's runtime that an engine needs."""

from __future__ import annotations

import ctypes
import weakref
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alphacut_core.errors import EngineError, MissingLibraryError

DEFAULT_STREAM = 0

_LIBRARIES = ("libcudart.so", "libcudart.so.13", "libcudart.so.12")
_TO_GPU, _FROM_GPU = 1, 2
_NON_BLOCKING = 1  # does not wait for the default stream


def load(names: tuple[str, ...] = _LIBRARIES) -> ctypes.CDLL:
    """Return CUDA's runtime library: the one that this process has already, as Triton's stubs do, or the first found.

    Raises:
        MissingLibraryError: It is not installed.
    """
    own = ctypes.CDLL(None)
    if hasattr(own, "cudaMalloc"):
        return own
    for name in names:
        try:
            return ctypes.CDLL(name)
        except OSError as error:
            reason = error
    raise MissingLibraryError(
        f"running an engine on a GPU needs CUDA's runtime library ({reason}); it comes with the CUDA toolkit, with "
        "pip install nvidia-cuda-runtime, and is in the containers: docker compose run --rm build"
    )


def use(library: ctypes.CDLL, device: int) -> None:
    """Make this thread work on one GPU.

    Raises:
        EngineError: There is none of that number, or no driver.
    """
    _check(library, library.cudaSetDevice(device))


class Stream:
    """A queue of work on the GPU.

    Attributes:
        handle: What CUDA and TensorRT know it by.
    """

    def __init__(self, library: ctypes.CDLL) -> None:
        """Make one.

        Raises:
            EngineError: No GPU or no driver.
        """
        self._library = library
        handle = ctypes.c_void_p()
        _check(library, library.cudaStreamCreateWithFlags(ctypes.byref(handle), _NON_BLOCKING))
        self.handle = int(handle.value or 0)
        weakref.finalize(self, library.cudaStreamDestroy, handle)

    def wait(self) -> None:
        """Return when everything in it is done.

        Raises:
            EngineError: Something in it failed.
        """
        _check(self._library, self._library.cudaStreamSynchronize(ctypes.c_void_p(self.handle)))


class Buffer:
    """A tensor on the GPU and its twin here, in memory that the GPU reads and writes by itself.

    Attributes:
        host: The twin; fill it before ``upload`` and read it after ``download`` and the stream's end.
        address: The tensor's on the GPU.
    """

    def __init__(
        self, library: ctypes.CDLL, shape: tuple[int, ...], dtype: type[np.generic], stream: int = DEFAULT_STREAM
    ) -> None:
        """Allocate memory for one tensor.

        Args:
            library: What ``load`` returned.
            shape: The tensor's, batch first.
            dtype: The tensor's.
            stream: Handle of the stream that copies.

        Raises:
            EngineError: No GPU, no driver, or no memory left.
        """
        self._library, self._stream = library, stream
        self.host: NDArray[Any] = np.zeros(shape, dtype)
        size, here, there = ctypes.c_size_t(self.host.nbytes), ctypes.c_void_p(self.host.ctypes.data), ctypes.c_void_p()
        _check(library, library.cudaMalloc(ctypes.byref(there), size))
        weakref.finalize(self, library.cudaFree, there)
        _check(library, library.cudaHostRegister(here, size, 0))
        weakref.finalize(self, _release, library, here, self.host)
        self.address = int(there.value or 0)

    def upload(self, rows: int | None = None) -> None:
        """Begin to copy the first ``rows``, or all, to the GPU."""
        self._copy(self.address, self.host.ctypes.data, rows, _TO_GPU)

    def download(self, rows: int | None = None) -> None:
        """Begin to copy the first ``rows``, or all, from the GPU, after what the stream does before."""
        self._copy(self.host.ctypes.data, self.address, rows, _FROM_GPU)

    def _copy(self, target: int, source: int, rows: int | None, direction: int) -> None:
        size = ctypes.c_size_t(self.host[:rows].nbytes)
        pointers = (ctypes.c_void_p(target), ctypes.c_void_p(source))
        _check(self._library, self._library.cudaMemcpyAsync(*pointers, size, direction, ctypes.c_void_p(self._stream)))


def _release(library: ctypes.CDLL, here: ctypes.c_void_p, host: NDArray[Any]) -> None:
    del host  # held until now, so that what is given back was not freed before
    library.cudaHostUnregister(here)


def _check(library: ctypes.CDLL, status: int) -> None:
    if status != 0:
        describe = library.cudaGetErrorString
        describe.restype = ctypes.c_char_p
        said = (describe(status) or b"no reason").decode()
        raise EngineError(f"the GPU says {said!r}; nvidia-smi shows what is wrong with it")
