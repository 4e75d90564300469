"""What torch.compile makes of full U²-Net: the fastest there is where TensorRT does not run, and served then.

It is compiled ahead of time (https://docs.pytorch.org/docs/stable/torch.compiler_aot_inductor.html), for every batch at
once, so that Triton's stub loads a file and needs no compiler.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from alphacut_gpu import accelerator, compiler, floor, networks
from alphacut_gpu.place import NotRunError, Place
from alphacut_gpu.torch_yardstick import BATCHES, Engine, time_s

NAME, PRECISION = "u2net", "fp16"
_EXAMPLE_ROWS = 8


def measure(place: Place) -> None:
    """Compile, judge and time."""
    torch = accelerator.torch()
    compiler.let_link(place.folder("linker"))
    from alphacut_gpu.pytorch_network import Fused

    torch.backends.cudnn.benchmark = True
    path = place.work / "network.pt2"
    begin_s = time.perf_counter()
    try:
        package(torch, Fused(NAME, torch.float16).cuda(), path)
    except Exception as error:
        if lacks := compiler.lacking():
            raise NotRunError(f"to compile ahead of time there lacks {', '.join(lacks)} ({error})") from error
        raise
    found: dict[str, Any] = {"compiled_s": time.perf_counter() - begin_s}
    network = torch._inductor.aoti_load_package(str(path))
    found |= {"parity": networks.judge(Engine(torch, network), PRECISION), "path": str(path), "batches": {}}
    place.keep("torch_compiled", found)
    ceiling = place.found("torch_yardstick").get("ceiling_flop_per_s")
    for rows in BATCHES:
        found["batches"][str(rows)] = _batch(torch, network, rows, ceiling)
        place.keep("torch_compiled", found)


def package(torch: Any, network: Any, path: Path) -> None:
    """Compile a network for any number of pictures from 1 to the largest batch, and write it."""
    images = torch.from_numpy(networks.batch(_EXAMPLE_ROWS)).cuda()
    rows = torch.export.Dim("rows", min=1, max=max(BATCHES))
    with torch.inference_mode():
        exported = torch.export.export(network.eval(), (images,), dynamic_shapes={"images": {0: rows}})
        torch._inductor.aoti_compile_and_package(exported, package_path=str(path))


def _batch(torch: Any, network: Any, rows: int, ceiling: float | None) -> dict[str, float]:
    images = torch.from_numpy(networks.batch(rows)).cuda()
    for _ in range(3):  # cuDNN tries its ways of each convolution
        network(images)
    seconds = time_s(torch, lambda: network(images))
    measured = {"time_ms": seconds * 1e3, "images_per_s": rows / seconds}
    if ceiling:
        measured["share_of_ceiling"] = floor.share(NAME, measured["images_per_s"], ceiling)
    return measured
