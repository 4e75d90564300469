"""Triton adapter: the engine on a CPU, by OpenVINO."""

from __future__ import annotations

import json
import queue
import threading
from pathlib import Path
from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils

from alphacut_core import adapter, openvino_core
from alphacut_core.contract import CONFIDENCE, image_spec, mask_spec
from alphacut_core.rows import Rows


class TritonPythonModel:
    """Gives an image that is alone all processors, and several one each: that is slower for one and more in all."""

    def initialize(self, args: dict[str, str]) -> None:
        """Compile the network as its manifest says, which is how the gate judged it."""
        settings = adapter.start(args)
        folder = Path(settings.folder)
        manifest = json.loads((folder / "manifest.json").read_text())
        size = int(manifest["size"])
        self.image, outputs = image_spec(size), {mask_spec(size): np.uint8, CONFIDENCE: np.float32}
        self.names = [spec.name for spec in outputs]
        self.options = manifest["compile_options"]
        self.network = openvino_core.read(folder / "model.onnx", self.image.dims)
        self.alone = self.abreast = self._lanes("LATENCY", 1)
        # OpenVINO's bindings make at the first call what all calls share; two first ones wait for each other for ever.
        self._infer(np.zeros((1, *self.image.dims), np.uint8), alone=True)
        self.rows = Rows(pb_utils, settings, self.image, outputs, self._infer)
        self.compiling = threading.Thread(target=self._compile_abreast)
        self.compiling.start()

    def execute(self, requests: list[Any]) -> None:
        """Begin with N requests; each is answered when it is done."""
        self.rows.take(requests)

    def finalize(self) -> None:
        """Finish what was begun."""
        self.compiling.join()
        self.rows.close()

    def _compile_abreast(self) -> None:
        """Prepare for images side by side while the first ones, one after another, are answered already."""
        self.abreast = self._lanes("THROUGHPUT")
        self.rows.grow(self.abreast.qsize())

    def _lanes(self, hint: str, n_lanes: int = 0) -> queue.SimpleQueue[Any]:
        """Return so many requests of OpenVINO's; without a number, as many as it runs best at once."""
        compiled = openvino_core.compile_for_cpu(self.network, {"PERFORMANCE_HINT": hint, **self.options})
        lanes: queue.SimpleQueue[Any] = queue.SimpleQueue()
        for _ in range(n_lanes or compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS")):
            lanes.put(compiled.create_infer_request())
        return lanes

    def _infer(self, image: np.ndarray, alone: bool) -> dict[str, np.ndarray]:
        lanes = self.alone if alone else self.abreast
        lane = lanes.get()
        try:
            lane.infer({self.image.name: image})
            return {name: lane.get_tensor(name).data.copy() for name in self.names}
        finally:
            lanes.put(lane)
