"""Triton adapter: the engine on a GPU, by TensorRT-RTX."""

from __future__ import annotations

import json
import queue
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import tensorrt_rtx_bindings as trt
import triton_python_backend_utils as pb_utils

from alphacut_core import adapter, cuda
from alphacut_core.contract import CONFIDENCE, image_spec, mask_spec
from alphacut_core.errors import EngineError
from alphacut_core.lane import Lane
from alphacut_core.replies import Replies

LANES = 2


class TritonPythonModel:
    """Fills one lane and answers from it while the other computes; meanwhile Triton forms the next batch."""

    def initialize(self, args: dict[str, str]) -> None:
        """Load the engine; TensorRT-RTX compiles its kernels for the GPU at hand."""
        settings = adapter.start(args)
        folder = Path(settings.folder)
        self.size = int(json.loads((folder / "manifest.json").read_text())["size"])
        self.device, self.library = int(args["model_instance_device_id"]), cuda.load()
        cuda.use(self.library, self.device)
        self.runtime = trt.Runtime(trt.Logger(trt.Logger.WARNING))  # lives as long as the engine
        self.engine = self.runtime.deserialize_cuda_engine((folder / "model.engine").read_bytes())
        if self.engine is None:
            raise EngineError("TensorRT-RTX does not load this engine on this GPU; the log above says why")
        self.lanes: queue.SimpleQueue[Lane] = queue.SimpleQueue()
        for _ in range(LANES):
            self.lanes.put(self._lane(int(json.loads(args["model_config"])["max_batch_size"])))
        self.replies = Replies(pb_utils, settings)
        self.workers = ThreadPoolExecutor(LANES, initializer=lambda: cuda.use(self.library, self.device))

    def execute(self, requests: list[Any]) -> None:
        """Begin with N requests, together at most ``max_batch_size`` images; return when a lane is free for others."""
        lane, row = self.lanes.get(), 0
        shares = []
        for request in requests:
            images = pb_utils.get_input_tensor_by_name(request, image_spec(self.size).name).as_numpy()
            lane.images[row : row + len(images)] = images
            shares.append((request, slice(row, row + len(images))))
            row += len(images)
        self.workers.submit(self._serve, lane, shares, row)
        self.lanes.put(self.lanes.get())  # what waits here is no batch yet: those that come meanwhile join the next

    def finalize(self) -> None:
        """Finish what was begun."""
        self.workers.shutdown()
        self.replies.close()

    def _lane(self, batch: int) -> Lane:
        """Return a lane that captures a CUDA graph of each batch size once its kernels are compiled."""
        settings = self.engine.create_runtime_config()
        settings.cuda_graph_strategy = trt.CudaGraphStrategy.WHOLE_GRAPH_CAPTURE
        return Lane(self.library, self.engine.create_execution_context(settings), self.size, batch)

    def _serve(self, lane: Lane, shares: list[tuple[Any, slice]], rows: int) -> None:
        try:
            masks, confidences = lane.run(rows)
        except Exception as error:  # noqa: BLE001  the process boundary: nobody else would answer
            for request, _ in shares:
                self.replies.refuse(request, error)
            return
        finally:
            self.lanes.put(lane)
        for request, share in shares:
            self.replies.answer(request, {mask_spec(self.size).name: masks[share], CONFIDENCE.name: confidences[share]})
