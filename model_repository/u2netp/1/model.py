"""Triton adapter: the engine on a CPU, by OpenVINO."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import openvino
import triton_python_backend_utils as pb_utils

from alphacut_core import adapter
from alphacut_core.contract import CONFIDENCE, image_spec, mask_spec


class TritonPythonModel:
    """Runs the images of a batch one after another through a network of fixed shape."""

    def initialize(self, args: dict[str, str]) -> None:
        """Compile the network as its manifest says, which is how the gate judged it."""
        settings = adapter.start(args)
        folder = Path(settings.folder)
        manifest = json.loads((folder / "manifest.json").read_text())
        size = int(manifest["size"])
        self.image, self.mask = image_spec(size), mask_spec(size)
        core = openvino.Core()
        network = core.read_model(folder / "model.onnx")
        network.reshape([1, *self.image.dims])
        compiled = core.compile_model(
            network,
            "CPU",
            {"PERFORMANCE_HINT": settings.parameters["performance_hint"], **manifest["compile_options"]},
        )
        self.queue = openvino.AsyncInferQueue(compiled)
        self.queue.set_callback(self._store)

    def execute(self, requests: list[Any]) -> list[Any]:
        """Answer N requests with N responses in the same order."""
        batches = [pb_utils.get_input_tensor_by_name(r, self.image.name).as_numpy() for r in requests]
        ends = np.cumsum([len(batch) for batch in batches])
        self.masks = np.empty((ends[-1], *self.mask.dims), np.uint8)
        self.confidences = np.empty((ends[-1], *CONFIDENCE.dims), np.float32)
        for row, image in enumerate(image for batch in batches for image in batch):
            self.queue.start_async({self.image.name: image[None]}, row)
        self.queue.wait_all()
        return [self._response(end - len(batch), end) for batch, end in zip(batches, ends, strict=True)]

    def _store(self, infer: openvino.InferRequest, row: int) -> None:
        self.masks[row] = infer.get_tensor(self.mask.name).data[0]
        self.confidences[row] = infer.get_tensor(CONFIDENCE.name).data[0]

    def _response(self, start: int, end: int) -> Any:
        return pb_utils.InferenceResponse(
            output_tensors=[
                pb_utils.Tensor(self.mask.name, self.masks[start:end]),
                pb_utils.Tensor(CONFIDENCE.name, self.confidences[start:end]),
            ]
        )
