"""The engine alone, as fast as it gets here: OpenVINO in a loop, in the embedded server's Python.

Imports nothing that is missing there: core, NumPy, Pillow and OpenVINO are what there is.
"""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib import metadata

import numpy as np

from alphacut_core import codec, geometry, installed, openvino_core
from alphacut_core.contract import DEFAULT_PIPELINE, image_spec, mask_spec
from alphacut_core.errors import EngineSourceError
from alphacut_loadtest.bench.subject import Call, Setting, Subject


class BareEngine(Subject):
    """The network that Triton serves, without Triton."""

    def __init__(self, setting: Setting) -> None:
        super().__init__()
        served = installed.find(setting.repository, DEFAULT_PIPELINE.engine)
        if served is None:
            raise EngineSourceError(f"there is no built engine in {setting.repository}; run: alphacut build")
        self._folder = served.folder
        self._size = DEFAULT_PIPELINE.size
        self._squares = {data: self._square(data) for data in (path.read_bytes() for path in setting.pictures)}
        self._streams = cache(self._compile)
        self._request = threading.local()

    def call(self, contender: str, concurrency: int) -> Call:
        """Return a function that decodes, or looks up, in the caller's thread and infers in the engine's."""
        square = {"engine": self._squares.__getitem__, "engine-decode": self._square}[contender]
        streams = self._streams("LATENCY" if concurrency == 1 else "THROUGHPUT")
        return lambda data: streams.submit(self._infer, square(data)).result()

    def versions(self) -> dict[str, str]:
        """Return OpenVINO's and those of what decodes."""
        return {"openvino": metadata.version("openvino"), "numpy": np.__version__}

    def _square(self, data: bytes) -> geometry.Pixels:
        return geometry.to_square(codec.decode(data), self._size)

    def _compile(self, hint: str) -> ThreadPoolExecutor:
        """Return as many threads, each with a request of its own, as OpenVINO deems best for latency or throughput."""
        manifest = json.loads((self._folder / "manifest.json").read_text())
        network = openvino_core.read(self._folder / "model.onnx", image_spec(self._size).dims)
        compiled = openvino_core.compile_for_cpu(network, {"PERFORMANCE_HINT": hint, **manifest["compile_options"]})

        def prepare() -> None:
            self._request.own = compiled.create_infer_request()

        streams = compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS")
        return self._stack.enter_context(ThreadPoolExecutor(streams, initializer=prepare))

    def _infer(self, image: geometry.Pixels) -> bytes:
        request = self._request.own
        request.infer({image_spec(self._size).name: image[None]})
        mask: bytes = request.get_tensor(mask_spec(self._size).name).data.tobytes()
        return mask
