"""Triton adapter for measurements only: PyTorch, to see the way around an engine where none runs on the GPU."""

from __future__ import annotations

import queue
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils

from alphacut_core import adapter
from alphacut_core.contract import CONFIDENCE, image_spec, mask_spec
from alphacut_core.replies import Replies

BATCHES = (1, 2, 4, 8, 16)
LANES = 2
COMPILED, TRACED = "network.pt2", "network.pt"


@dataclass(frozen=True, slots=True)
class Lane:
    """Where one batch at a time is run.

    Attributes:
        thread: Its own: the ways of convolution that cuDNN has tried are known to the thread that tried them.
        sizes: For each size of batch a stream, the place for its pictures, and what runs it.
    """

    thread: ThreadPoolExecutor
    sizes: dict[int, Any]


class TritonPythonModel:
    """Batches are filled up to one of a few sizes, each prepared in two lanes; CUDA graphs if nothing is compiled."""

    def initialize(self, args: dict[str, str]) -> None:
        """Load the network, compiled or traced, and prepare all batch sizes."""
        settings = adapter.start(args)
        sys.path.append(settings.parameters["packages"])  # last, so that numpy stays Triton's
        import torch

        self.torch, self.size = torch, int(settings.parameters["size"])
        device = int(args["model_instance_device_id"])
        torch.cuda.set_device(device)
        torch.backends.cudnn.benchmark = True
        torch._C._jit_set_texpr_fuser_enabled(False)  # it would compile anew at the sizes that are captured
        compiled, traced = (Path(settings.folder) / name for name in (COMPILED, TRACED))
        self.compiled = compiled.is_file()
        self.replies = Replies(pb_utils, settings)
        self.lanes: queue.SimpleQueue[Lane] = queue.SimpleQueue()
        self.threads = [
            ThreadPoolExecutor(1, initializer=torch.cuda.set_device, initargs=(device,)) for _ in range(LANES)
        ]
        for thread in self.threads:  # a compiled network runs one batch at a time
            network = (
                torch._inductor.aoti_load_package(str(compiled)) if self.compiled else torch.jit.load(traced).cuda()
            )
            sizes = {rows: thread.submit(self._prepare, network, rows).result() for rows in BATCHES}
            self.lanes.put(Lane(thread, sizes))

    def execute(self, requests: list[Any]) -> None:
        """Begin with N requests; return when a lane is free for others."""
        name = image_spec(self.size).name
        batches = [pb_utils.get_input_tensor_by_name(request, name).as_numpy() for request in requests]
        lane = self.lanes.get()
        lane.thread.submit(self._serve, lane, requests, batches)
        self.lanes.put(self.lanes.get())

    def finalize(self) -> None:
        """Finish what was begun."""
        for thread in self.threads:
            thread.shutdown()
        self.replies.close()

    def _prepare(self, network: Callable[[Any], Any], rows: int) -> tuple[Any, Any, Callable[[], Any]]:
        torch = self.torch
        images = torch.zeros((rows, *image_spec(self.size).dims), dtype=torch.uint8, device="cuda")
        stream = torch.cuda.Stream()
        with torch.inference_mode(), torch.cuda.stream(stream):
            for _ in range(3):
                network(images)
            torch.cuda.synchronize()
            if self.compiled:
                return stream, images, lambda: network(images)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph, stream=stream):
                outputs = network(images)

        def replay() -> Any:
            graph.replay()
            return outputs

        return stream, images, replay

    def _serve(self, lane: Lane, requests: list[Any], batches: list[np.ndarray]) -> None:
        try:
            images = np.concatenate(batches)
            stream, place, run = lane.sizes[next(rows for rows in BATCHES if rows >= len(images))]
            with self.torch.inference_mode(), self.torch.cuda.stream(stream):
                place[: len(images)].copy_(self.torch.from_numpy(images))
                masks, confidences = (one[: len(images)].cpu().numpy() for one in run())
        except Exception as error:  # noqa: BLE001  the process boundary: nobody else would answer
            for request in requests:
                self.replies.refuse(request, error)
            return
        finally:
            self.lanes.put(lane)
        row = 0
        for request, batch in zip(requests, batches, strict=True):
            share, row = slice(row, row + len(batch)), row + len(batch)
            tensors = {mask_spec(self.size).name: masks[share], CONFIDENCE.name: confidences[share]}
            self.replies.answer(request, tensors)
