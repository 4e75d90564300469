"""Memory on the GPU, by the four functions of CUDA's runtime that an engine's inputs and outputs need."""

from __future__ import annotations

import ctypes
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alphacut_core.errors import EngineBuildError, MissingLibraryError

_LIBRARIES = ("libcudart.so", "libcudart.so.13", "libcudart.so.12")
_TO_GPU, _FROM_GPU = 1, 2


def load(names: tuple[str, ...] = _LIBRARIES) -> ctypes.CDLL:
    """Return CUDA's runtime library.

    Raises:
        MissingLibraryError: It is not installed.
    """
    for name in names:
        try:
            return ctypes.CDLL(name)
        except OSError as error:
            reason = error
    raise MissingLibraryError(
        f"running a plan needs CUDA's runtime library ({reason}); build where it is: docker compose run --rm build"
    )


class Buffer:
    """A tensor on the GPU and its twin here.

    Attributes:
        host: The twin; fill it before ``upload`` and read it after ``download``.
        address: The tensor's on the GPU.
    """

    def __init__(self, library: ctypes.CDLL, shape: tuple[int, ...], dtype: type[np.generic]) -> None:
        """Allocate memory for one tensor.

        Raises:
            EngineBuildError: No GPU, no driver, or no memory left.
        """
        self._library = library
        self.host: NDArray[Any] = np.zeros(shape, dtype)
        pointer = ctypes.c_void_p()
        self._call(library.cudaMalloc, ctypes.byref(pointer), ctypes.c_size_t(self.host.nbytes))
        self.address = int(pointer.value or 0)
        weakref.finalize(self, library.cudaFree, pointer)

    def upload(self) -> None:
        """Copy to the GPU."""
        self._copy(self.address, self.host.ctypes.data, _TO_GPU)

    def download(self) -> None:
        """Wait for what runs on the default stream, then copy from the GPU."""
        self._copy(self.host.ctypes.data, self.address, _FROM_GPU)

    def _copy(self, target: int, source: int, direction: int) -> None:
        size = ctypes.c_size_t(self.host.nbytes)
        self._call(self._library.cudaMemcpy, ctypes.c_void_p(target), ctypes.c_void_p(source), size, direction)

    def _call(self, function: Callable[..., int], *arguments: Any) -> None:
        status = function(*arguments)
        if status != 0:
            describe = self._library.cudaGetErrorString
            describe.restype = ctypes.c_char_p
            said = (describe(status) or b"no reason").decode()
            raise EngineBuildError(f"stage gate: the GPU says {said!r}; nvidia-smi shows what is wrong with it")
