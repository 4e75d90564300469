"""What PyTorch makes of the networks: the yardstick for engines, and the GPU's own ceiling."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import Any

import numpy as np

from alphacut_core.geometry import Pixels
from alphacut_gpu import accelerator, floor, networks
from alphacut_gpu.place import Place
from alphacut_gpu.trying import Trying

BATCHES = (1, 2, 4, 8, 16, 32, 64)
_SIDE = 8192
_ROUNDS, _ROUND_MS = 5, 150.0


def measure(place: Place) -> None:
    """Time a large product, then both networks at all batches, each as a CUDA graph."""
    torch = accelerator.torch()
    from alphacut_gpu.pytorch_network import Fused

    torch.backends.cudnn.benchmark = True
    found: dict[str, Any] = {"torch": torch.__version__, "ceiling_flop_per_s": _ceiling(torch), "networks": {}}
    place.keep("torch_yardstick", found)
    trying = Trying()
    for name in reversed(networks.NAMES):  # the full one is what is aimed at: it is not left to the end of the time
        of_it = found["networks"][name] = {"batches": {}}
        with trying.one(name, of_it):
            network = Fused(name, torch.float16).cuda()
            of_it["parity"] = networks.judge(Engine(torch, network), "fp16")
            for rows in BATCHES:
                measured = _batch(torch, network, rows)
                measured["share_of_ceiling"] = floor.share(name, measured["images_per_s"], found["ceiling_flop_per_s"])
                of_it["batches"][str(rows)] = measured
                place.keep("torch_yardstick", found)
            del network
        place.keep("torch_yardstick", found)
    trying.end()


class Engine:
    """A network behind the interface of the gate."""

    def __init__(self, torch: Any, network: Callable[..., Any]) -> None:
        """Take a network that is on the GPU."""
        self._torch, self._network = torch, network

    def masks(self, pictures: Pixels) -> tuple[Pixels, np.ndarray]:
        """Run uint8 (N, S, S, 3); return masks uint8 (N, S, S) and confidences float32 (N, 1)."""
        with self._torch.inference_mode():
            masks, confidences = self._network(self._torch.from_numpy(pictures).cuda())
        return masks.cpu().numpy(), confidences.cpu().numpy()


def _ceiling(torch: Any) -> float:
    """Return the rate of a large product of random FP16 matrices, in FLOP/s."""
    one, other = (torch.randn(_SIDE, _SIDE, device="cuda", dtype=torch.float16) for _ in range(2))
    return 2 * _SIDE**3 / time_s(torch, lambda: torch.mm(one, other))


def _batch(torch: Any, network: Any, rows: int) -> dict[str, float]:
    torch.cuda.empty_cache()  # so that the memory counted is this batch's
    torch.cuda.reset_peak_memory_stats()
    images = torch.from_numpy(networks.batch(rows)).cuda()
    with torch.inference_mode():
        aside = torch.cuda.Stream()
        with torch.cuda.stream(aside):
            for _ in range(3):
                network(images)
        torch.cuda.current_stream().wait_stream(aside)
        eager_s = time_s(torch, lambda: network(images))
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            network(images)
        graph_s = time_s(torch, graph.replay)
    return {
        "time_ms": graph_s * 1e3,
        "images_per_s": rows / graph_s,
        "without_graph_images_per_s": rows / eager_s,
        "memory_bytes": torch.cuda.max_memory_reserved(),
    }


def time_s(torch: Any, work: Callable[[], Any]) -> float:
    """Return the median time of one call, between events on the GPU, after a warm-up."""
    for _ in range(2):
        work()

    def calls_ms(count: int) -> float:
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        for _ in range(count):
            work()
        end.record()
        end.synchronize()
        return float(begin.elapsed_time(end))

    count = max(1, int(_ROUND_MS / max(calls_ms(1), 0.01)))
    return statistics.median(calls_ms(count) / count for _ in range(_ROUNDS)) / 1e3
