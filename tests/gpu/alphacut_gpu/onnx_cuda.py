"""ONNX Runtime's CUDA provider on the fused graphs."""

from __future__ import annotations

import statistics
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alphacut_core.contract import CONFIDENCE, image_spec, mask_spec
from alphacut_core.geometry import Pixels
from alphacut_gpu import accelerator, networks
from alphacut_gpu.place import NotRunError, Place

BATCHES = (1, 8, 16, 32, 64)
_PROVIDER = "CUDAExecutionProvider"
_CALLS = 12


def measure(place: Place) -> None:
    """Judge and time FP32 and FP16 of both networks."""
    accelerator.needed()
    import onnxruntime

    if _PROVIDER not in onnxruntime.get_available_providers():
        raise NotRunError(f"this ONNX Runtime {onnxruntime.__version__} has no {_PROVIDER}; carry onnxruntime-gpu")
    onnxruntime.preload_dlls()  # finds cuDNN and cuBLAS in PyTorch's packages
    found: dict[str, Any] = {"version": onnxruntime.__version__, "engines": []}
    for network in networks.NAMES:
        for precision in ("fp16", "fp32"):
            engine = _Engine(onnxruntime, network, precision)
            entry: dict[str, Any] = {"network": network, "precision": precision, "batches": {}}
            found["engines"].append(entry)
            entry["parity"] = networks.judge(engine, precision)
            for rows in BATCHES:
                time_s = engine.time_s(rows)
                entry["batches"][str(rows)] = {"time_ms": time_s * 1e3, "images_per_s": rows / time_s}
                place.keep("onnx_cuda", found)


class _Engine:
    def __init__(self, onnxruntime: Any, network: str, precision: str) -> None:
        graph = networks.graph(network, precision).SerializeToString()
        self._session = onnxruntime.InferenceSession(graph, providers=[_PROVIDER])
        if self._session.get_providers()[0] != _PROVIDER:
            raise NotRunError("ONNX Runtime fell back to the processor; its log above says why")

    def masks(self, pictures: Pixels) -> tuple[Pixels, NDArray[np.float32]]:
        size = networks.SIZE
        masks, confidences = self._session.run(
            [mask_spec(size).name, CONFIDENCE.name], {image_spec(size).name: pictures}
        )
        return masks, confidences

    def time_s(self, rows: int) -> float:
        """Return the median time of a batch, copies included."""
        pictures, times_s = networks.batch(rows), []
        for _ in range(_CALLS):
            begin = time.perf_counter()
            self.masks(pictures)
            times_s.append(time.perf_counter() - begin)
        return statistics.median(times_s[2:])
