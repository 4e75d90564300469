"""ONNX Runtime's CUDA provider on the fused graphs."""

from __future__ import annotations

import contextlib
import statistics
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alphacut_core.contract import CONFIDENCE, image_spec, mask_spec
from alphacut_core.geometry import Pixels
from alphacut_gpu import accelerator, networks
from alphacut_gpu.place import NotRunError, Place
from alphacut_gpu.trying import Trying

BATCHES = (1, 8, 16, 32, 64)
_ORDERS = (("u2net", "fp16"), ("u2net", "int8"), ("u2net", "fp32"), ("u2netp", "fp16"), ("u2netp", "int8"))
_PROVIDER = "CUDAExecutionProvider"
_TYPES_AS_TOLD = {"use_tf32": "0"}
"""TF32 would round what the graph calls FP32 to half precision's mantissa."""

_CALLS = 12
_ROWS = "gpu_graph_id"
"""What a run names its CUDA graph by: there is one for each size of batch."""


def measure(place: Place) -> None:
    """Judge and time both networks, on the GPU alone and with the pictures' way there and back."""
    accelerator.needed()
    with contextlib.suppress(NotRunError):
        accelerator.torch()  # loads cuDNN and cuBLAS, which ONNX Runtime looks for beside itself only
    import onnxruntime

    if _PROVIDER not in onnxruntime.get_available_providers():
        raise NotRunError(f"this ONNX Runtime {onnxruntime.__version__} has no {_PROVIDER}; carry onnxruntime-gpu")
    onnxruntime.preload_dlls()
    found: dict[str, Any] = {"version": onnxruntime.__version__, "engines": []}
    trying = Trying()
    for network, precision in _ORDERS:
        entry: dict[str, Any] = {"network": network, "precision": precision}
        found["engines"].append(entry)
        place.keep("onnx_cuda", found)
        with trying.one(f"{network} {precision}", entry):
            before_bytes = accelerator.memory_used_bytes()
            engine = _load(onnxruntime, networks.graph(network, precision).SerializeToString(), entry)
            entry |= {"parity": networks.judge(engine, precision), "batches": {}}
            for rows in BATCHES:
                entry["batches"][str(rows)] = engine.time(rows)
                place.keep("onnx_cuda", found)
            entry["memory_bytes"] = accelerator.memory_used_bytes() - before_bytes
            del engine
        place.keep("onnx_cuda", found)
    trying.end()


def _load(onnxruntime: Any, graph: bytes, entry: dict[str, Any]) -> Engine:
    """Load a graph with CUDA graphs, or without where ONNX Runtime refuses those, and say so."""
    try:
        engine = Engine(onnxruntime, graph, (_PROVIDER, {**_TYPES_AS_TOLD, "enable_cuda_graph": "1"}))
        engine.masks(networks.batch(max(BATCHES)))  # takes all memory now, since none can be while a graph is captured
    except NotRunError:
        raise
    except Exception as error:  # noqa: BLE001  ONNX Runtime has a class of its own for each cause
        entry["without_graphs"] = str(error)
        return Engine(onnxruntime, graph, (_PROVIDER, _TYPES_AS_TOLD))
    return engine


class Engine:
    """A session of ONNX Runtime whose tensors lie where its provider computes."""

    def __init__(
        self, onnxruntime: Any, graph: bytes, provider: tuple[str, dict[str, str]], device: str = "cuda"
    ) -> None:
        """Load a graph.

        Raises:
            NotRunError: The provider does not start.
        """
        self._onnxruntime, self._device = onnxruntime, device
        self._session = onnxruntime.InferenceSession(graph, providers=[provider])
        if self._session.get_providers()[0] != provider[0]:
            raise NotRunError("ONNX Runtime fell back to the processor; its log above says why")
        self._bound: dict[int, tuple[Any, ...]] = {}

    def masks(self, pictures: Pixels) -> tuple[Pixels, NDArray[np.float32]]:
        """Run uint8 (N, S, S, 3); return masks uint8 (N, S, S) and confidences float32 (N, 1)."""
        _, _, images, masks, confidences = self._bind(len(pictures))
        images.update_inplace(np.ascontiguousarray(pictures))
        self._run(len(pictures))
        return masks.numpy(), confidences.numpy()

    def time(self, rows: int) -> dict[str, float]:
        """Return how fast batches of ``rows`` are: alone on the GPU, and with the pictures' way there and back."""
        pictures = networks.batch(rows)
        with_copies_s = _median_s(lambda: self.masks(pictures))
        alone_s = _median_s(lambda: self._run(rows))
        return {
            "time_ms": alone_s * 1e3,
            "images_per_s": rows / alone_s,
            "with_copies_ms": with_copies_s * 1e3,
            "with_copies_images_per_s": rows / with_copies_s,
        }

    def _run(self, rows: int) -> None:
        binding, options, *_ = self._bind(rows)
        self._session.run_with_iobinding(binding, options)

    def _bind(self, rows: int) -> tuple[Any, ...]:
        """Return a batch's binding and tensors: always the same ones, since a CUDA graph keeps their addresses."""
        if rows not in self._bound:
            binding, options = self._session.io_binding(), self._onnxruntime.RunOptions()
            options.add_run_config_entry(_ROWS, str(rows))
            tensors = []
            specs = image_spec(networks.SIZE), mask_spec(networks.SIZE), CONFIDENCE
            for spec, dtype in zip(specs, (np.uint8, np.uint8, np.float32), strict=True):
                values = np.zeros((rows, *spec.dims), dtype)
                tensors.append(self._onnxruntime.OrtValue.ortvalue_from_numpy(values, self._device, 0))
                bind = binding.bind_ortvalue_output if spec is not specs[0] else binding.bind_ortvalue_input
                bind(spec.name, tensors[-1])
            self._bound[rows] = (binding, options, *tensors)
        return self._bound[rows]


def _median_s(work: Any) -> float:
    times_s = []
    for _ in range(_CALLS):
        begin = time.perf_counter()
        work()
        times_s.append(time.perf_counter() - begin)
    return statistics.median(times_s[2:])
