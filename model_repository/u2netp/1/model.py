"""Triton adapter: the engine on a CPU, by OpenVINO."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import numpy as np
import openvino
import triton_python_backend_utils as pb_utils

from alphacut_core import adapter
from alphacut_core.contract import CONFIDENCE, image_spec, mask_spec
from alphacut_core.meter import Meter


class TritonPythonModel:
    """Gives an image that is alone all processors, and several one each: that is slower for one and more in all."""

    def initialize(self, args: dict[str, str]) -> None:
        """Compile the network as its manifest says, which is how the gate judged it."""
        settings = adapter.start(args)
        self.meter = Meter(pb_utils, settings.model, settings.version)
        folder = Path(settings.folder)
        manifest = json.loads((folder / "manifest.json").read_text())
        size = int(manifest["size"])
        self.image, self.mask = image_spec(size), mask_spec(size)
        self.core, self.options = openvino.Core(), manifest["compile_options"]
        self.network = self.core.read_model(folder / "model.onnx")
        self.network.reshape([1, *self.image.dims])
        self.alone, self.abreast = self._queue("LATENCY", spare=0), self._queue("THROUGHPUT", spare=1)
        self.under_way = 0
        self.lock = threading.Lock()

    def execute(self, requests: list[Any]) -> None:
        """Begin with N requests; each is answered when it is done, while the next batch begins."""
        batches = [pb_utils.get_input_tensor_by_name(r, self.image.name).as_numpy() for r in requests]
        several = sum(map(len, batches)) > 1
        for request, images in zip(requests, batches, strict=True):
            masks = np.empty((len(images), *self.mask.dims), np.uint8)
            confidences = np.empty((len(images), *CONFIDENCE.dims), np.float32)
            answer = adapter.Answer(pb_utils, request, {self.mask.name: masks, CONFIDENCE.name: confidences})
            for row, image in enumerate(images):
                with self.lock:
                    queue = self.abreast if several or self.under_way else self.alone
                    self.under_way += 1
                queue.start_async({self.image.name: image[None]}, (answer, row))  # waits for a place

    def finalize(self) -> None:
        """Finish what was begun."""
        self.alone.wait_all()
        self.abreast.wait_all()

    def _queue(self, hint: str, *, spare: int) -> openvino.AsyncInferQueue:
        """Return places for as many images as OpenVINO runs at once, and spare ones whose images only wait."""
        compiled = self.core.compile_model(self.network, "CPU", {"PERFORMANCE_HINT": hint, **self.options})
        streams = compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS")
        queue = openvino.AsyncInferQueue(compiled, streams + spare)
        queue.set_callback(self._done)
        return queue

    def _done(self, infer: openvino.InferRequest, place: tuple[adapter.Answer, int]) -> None:
        answer, row = place
        for name, rows in answer.tensors.items():
            rows[row] = infer.get_tensor(name).data[0]
        with self.lock:
            self.under_way -= 1
        answer.row_is_done()
        self.meter.add(infer.latency / 1000)
