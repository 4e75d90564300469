"""What the data-centre TensorRT makes of full U²-Net, where it is installed: PyPI has not its libraries."""

from __future__ import annotations

import contextlib
import time
from typing import Any

from alphacut_core import cuda
from alphacut_engines import tensorrt_engine, tensorrt_module
from alphacut_gpu import accelerator, networks, tensorrt_rtx
from alphacut_gpu.place import NotRunError, Place
from alphacut_gpu.trying import Trying

_ORDERS = (("u2net", "fp16"), ("u2net", "int8"))


def measure(place: Place) -> None:
    """Build for this GPU, load, judge and time. The embedded Triton has no backend for plans: they are not served."""
    accelerator.needed()
    trt = tensorrt_module.load()
    with contextlib.suppress(NotRunError):
        accelerator.torch()  # brings CUDA's runtime where the system has none
    library = cuda.load()
    found: dict[str, Any] = {"version": trt.__version__, "engines": []}
    trying = Trying()
    for network, precision in _ORDERS:
        entry: dict[str, Any] = {"network": network, "precision": precision}
        found["engines"].append(entry)
        place.keep("tensorrt", found)
        with trying.one(f"{network} {precision}", entry):
            graph = networks.graph(network, precision)
            before_s = time.perf_counter()
            plan = tensorrt_engine.build(trt, graph, networks.SIZE, batches=tensorrt_rtx.PROFILE)
            entry |= {"built_s": time.perf_counter() - before_s, "engine_bytes": len(plan)}
            entry |= tensorrt_rtx.run(trt, library, plan, precision, timed=True, rtx=False)
        place.keep("tensorrt", found)
    trying.end()
