"""Triton adapter: the engine on a CPU, by OpenVINO."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import numpy as np
import openvino
import triton_python_backend_utils as pb_utils

from alphacut_core import adapter, processors
from alphacut_core.contract import CONFIDENCE, image_spec, mask_spec


class TritonPythonModel:
    """Gives an image that is alone all processors, and several one each: that is slower for one and more in all."""

    def initialize(self, args: dict[str, str]) -> None:
        """Compile the network as its manifest says, which is how the gate judged it."""
        folder = Path(adapter.start(args).folder)
        manifest = json.loads((folder / "manifest.json").read_text())
        size = int(manifest["size"])
        self.image, self.mask = image_spec(size), mask_spec(size)
        self.core, self.options = openvino.Core(), manifest["compile_options"]
        self.network = self.core.read_model(folder / "model.onnx")
        self.network.reshape([1, *self.image.dims])
        self.room = adapter.Room(1)
        self.alone = self.abreast = self._queue("LATENCY")
        self.compiling = threading.Thread(target=self._compile_abreast)
        self.compiling.start()

    def execute(self, requests: list[Any]) -> None:
        """Begin with N requests; each is answered when it is done, while the next batch begins."""
        batches = [pb_utils.get_input_tensor_by_name(r, self.image.name).as_numpy() for r in requests]
        several = sum(map(len, batches)) > 1
        for request, images in zip(requests, batches, strict=True):
            masks = np.empty((len(images), *self.mask.dims), np.uint8)
            confidences = np.empty((len(images), *CONFIDENCE.dims), np.float32)
            answer = adapter.Answer(pb_utils, request, {self.mask.name: masks, CONFIDENCE.name: confidences})
            for row, image in enumerate(images):
                queue = self.abreast if self.room.enter() > 1 or several else self.alone
                queue.start_async({self.image.name: image[None]}, (answer, row))
        self.room.wait()

    def finalize(self) -> None:
        """Finish what was begun."""
        self.compiling.join()
        self.alone.wait_all()
        self.abreast.wait_all()

    def _compile_abreast(self) -> None:
        """Prepare for images side by side while the first ones, one after another, are answered already."""
        self.abreast = self._queue("THROUGHPUT")
        self.room.places = len(self.abreast)

    def _queue(self, hint: str) -> openvino.AsyncInferQueue:
        """Return places for as many images as OpenVINO runs best at once."""
        hints = {"PERFORMANCE_HINT": hint, **processors.openvino_options(), **self.options}
        compiled = self.core.compile_model(self.network, "CPU", hints)
        queue = openvino.AsyncInferQueue(compiled)
        queue.set_callback(self._done)
        return queue

    def _done(self, infer: openvino.InferRequest, place: tuple[adapter.Answer, int]) -> None:
        answer, row = place
        try:
            for name, rows in answer.tensors.items():
                rows[row] = infer.get_tensor(name).data[0]
            answer.row_is_done()
        finally:
            self.room.leave()
