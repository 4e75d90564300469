"""Which engines TensorRT-RTX builds and runs on this GPU, how right and how fast they are."""

from __future__ import annotations

import contextlib
import statistics
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alphacut_core import cuda
from alphacut_core.errors import EngineError
from alphacut_core.geometry import Pixels
from alphacut_core.lane import Lane
from alphacut_engines import tensorrt_engine, tensorrt_module
from alphacut_gpu import accelerator, networks
from alphacut_gpu.place import NotRunError, Place
from alphacut_gpu.trying import Trying

BATCHES = (1, 2, 4, 8, 16, 32, 64)
PROFILE = (1, 16, 64)
_ORDERS = (("u2netp", "fp16"), ("u2net", "fp16"), ("u2net", "int8"), ("u2netp", "int8"), ("u2netp", "fp32"))
_ENOUGH = 2
"""So many that are refused are a refusal of the GPU."""

_CURRENT = ("CURRENT",)
_ROUNDS, _ROUND_S = 5, 0.15


def measure(place: Place) -> None:
    """Build for this GPU and for those that Alphacut builds for; load, judge and time what loads."""
    gpu = accelerator.needed()
    trt = tensorrt_module.load_rtx()
    with contextlib.suppress(NotRunError):
        accelerator.torch()  # brings CUDA's runtime where the system has none
    library = cuda.load()
    kinds = list(trt.ComputeCapability.__members__)
    found: dict[str, Any] = {"version": trt.__version__, "knows": kinds, "gpu": gpu.compute_capability, "engines": []}
    folder, trying = place.folder("engines"), Trying()
    for number, (network, precision) in enumerate(_ORDERS):
        if number == _ENOUGH and not any("path" in one for one in found["engines"]):
            break  # it runs on no such GPU: what time is left, others need
        done = False
        for capabilities in (_CURRENT, tensorrt_engine.COMPUTE_CAPABILITIES):
            entry: dict[str, Any] = {"network": network, "precision": precision, "for": " ".join(capabilities)}
            found["engines"].append(entry)
            place.keep("tensorrt_rtx", found)
            with trying.one(f"{network} {precision} for {entry['for']}", entry):
                graph = networks.graph(network, precision)
                before_s = time.perf_counter()
                plan = tensorrt_engine.build(trt, graph, networks.SIZE, capabilities=capabilities, batches=PROFILE)
                entry |= {"built_s": time.perf_counter() - before_s, "engine_bytes": len(plan)}
                entry |= run(trt, library, plan, precision, timed=not done)
                path = folder / f"{network}-{precision}-{len(found['engines'])}.engine"
                path.write_bytes(plan)
                entry["path"], done = str(path), True
            place.keep("tensorrt_rtx", found)
    trying.end()


def run(trt: Any, library: Any, plan: bytes, precision: str, *, timed: bool, rtx: bool = True) -> dict[str, Any]:
    """Load, judge and time an engine; to see that another build of it loads and is right takes less time."""
    before_bytes = accelerator.memory_used_bytes()
    engine = Engine(trt, plan, library, rtx=rtx)
    parity = networks.judge(engine, precision)
    batches = {"batches": {str(rows): engine.time(rows) for rows in BATCHES}} if timed else {}
    return {"parity": parity, **batches, "memory_bytes": accelerator.memory_used_bytes() - before_bytes}


class Engine:
    """An engine on the GPU at hand: TensorRT-RTX's with its own CUDA graphs, or TensorRT's, which has none."""

    def __init__(self, trt: Any, plan: bytes, library: Any, *, rtx: bool = True) -> None:
        """Load it.

        Raises:
            EngineError: It does not load here, in TensorRT's words.
        """
        self._log = tensorrt_engine.make_log(trt)
        self._runtime = trt.Runtime(self._log)
        self._engine = self._runtime.deserialize_cuda_engine(plan)
        if self._engine is None:
            raise EngineError(f"it does not load on this GPU: {self._log.last()}")
        how = []
        if rtx:
            how.append(self._engine.create_runtime_config())
            how[0].cuda_graph_strategy = trt.CudaGraphStrategy.WHOLE_GRAPH_CAPTURE
        self._context = self._engine.create_execution_context(*how)
        self._lane = Lane(library, self._context, networks.SIZE, max(BATCHES))
        self._stream = cuda.Stream(library)

    def masks(self, pictures: Pixels) -> tuple[Pixels, NDArray[np.float32]]:
        """Run uint8 (N, S, S, 3); return masks uint8 (N, S, S) and confidences float32 (N, 1)."""
        self._lane.images[: len(pictures)] = pictures
        return self._lane.run(len(pictures))

    def time(self, rows: int) -> dict[str, float]:
        """Return how fast batches of ``rows`` are: alone on the GPU, and with the pictures' way there and back."""
        self._lane.images[:rows] = networks.batch(rows)
        for _ in range(3):  # kernels are compiled and graphs captured
            self._lane.run(rows)
        with_copies_s = _median_s(lambda: self._lane.run(rows), lambda: None)
        alone_s = _median_s(lambda: self._context.execute_async_v3(self._stream.handle), self._stream.wait)
        return {
            "time_ms": alone_s * 1e3,
            "images_per_s": rows / alone_s,
            "with_copies_ms": with_copies_s * 1e3,
            "with_copies_images_per_s": rows / with_copies_s,
        }


def _median_s(work: Any, wait: Any) -> float:
    def calls_s(count: int) -> float:
        begin = time.perf_counter()
        for _ in range(count):
            work()
        wait()
        return time.perf_counter() - begin

    calls_s(2)
    count = max(1, int(_ROUND_S / max(calls_s(1), 1e-5)))
    return statistics.median(calls_s(count) / count for _ in range(_ROUNDS))
