"""The whole way, encoded JPEG to mask through gRPC and Triton, by the fastest engine that runs here."""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tritonclient.grpc import InferenceServerClient, InferInput

from alphacut_client import EmbeddedServer
from alphacut_core import installed
from alphacut_core.contract import CONFIDENCE, image_spec, mask_spec
from alphacut_core.errors import ServerStartError
from alphacut_core.geometry import Pixels
from alphacut_core.tiers import DEFAULT_MODEL
from alphacut_engines import configs
from alphacut_gpu import accelerator, networks, server_environment, staging, variations
from alphacut_gpu.place import CHECKOUT, NotRunError, Place
from alphacut_gpu.targets import MASKS_PER_S
from alphacut_gpu.traffic import FAST, PIXELS, Traffic
from alphacut_loadtest.measure.service import Service

_CALLERS = (8, 32, 128)
_SHARES_OF_CLOSED = (0.5, 0.7, 0.85, 0.95)
_ABOVE = 1.05
"""So much above what is aimed at arrive: random arrivals are now more, now fewer."""

_PROMISES_S = (0.1, 1.0)
_START_S = 90.0


@dataclass(frozen=True, slots=True)
class Served:
    """What is served.

    Attributes:
        runtime: Who computes.
        network: Which network.
        precision: In what.
        on_gpu: Whether on a GPU.
        repository: Triton's model repository.
    """

    runtime: str
    network: str
    precision: str
    on_gpu: bool
    repository: Path


def measure(place: Place) -> None:
    """Serve the best that starts, judge the masks, and send."""
    server_environment.ensure(place)
    refused: dict[str, str] = {}
    for served in _candidates(place):
        found: dict[str, Any] = {name: getattr(served, name) for name in ("runtime", "network", "precision", "on_gpu")}
        found["refused"] = refused
        place.keep("serving", found)
        try:
            server = EmbeddedServer(served.repository, models=[DEFAULT_MODEL], tiers=["full"], start_timeout_s=_START_S)
            with server:
                service = Service.of(server)
                return _ask(place, served, service, found)
        except ServerStartError as error:
            print(f"{served.runtime}: {error}", file=sys.stderr)
            refused[f"{served.runtime}, {served.network} in {served.precision}"] = str(error)
            place.keep("serving", found)
    raise NotRunError("no engine runs on a GPU here, and none is built for the processor; run alphacut build before")


def _ask(place: Place, served: Served, service: Service, found: dict[str, Any]) -> None:
    count, url = 4 if place.quick else None, service.url.removeprefix("grpc://")
    found["parity"] = networks.judge(_Client(url), served.precision, count)
    place.keep("serving", found)
    traffic = Traffic.to(service, place)
    found["one_caller"] = traffic.closed(1)
    if served.on_gpu:
        found["memory_bytes"] = accelerator.memory_used_bytes()
    callers = (4,) if place.quick or not served.on_gpu else _CALLERS
    found |= {"callers": {}, "cores": len(os.sched_getaffinity(0))}
    for number in callers:
        found["callers"][str(number)] = traffic.closed(number)
        place.keep("serving", found)
    best_per_s = max(one["images_per_s"] for one in found["callers"].values())
    found["arrivals"] = []
    for rate_per_s in _rates(best_per_s)[: 1 if place.quick else None]:
        found["arrivals"].append(traffic.open(rate_per_s))
        found["kept"] = {f"p95 under {limit_s:g} s": _kept(found["arrivals"], limit_s) for limit_s in _PROMISES_S}
        place.keep("serving", found)
    if served.on_gpu:
        found["settings"] = {}
        for name, mix in (("fast decoding", FAST), ("squares of pixels", PIXELS)):
            found["settings"][name] = traffic.closed(max(callers), mix)
            place.keep("serving", found)
        for name, one in variations.measure(url, served.repository, traffic, max(callers)):
            found["settings"][name] = one
            place.keep("serving", found)


def _candidates(place: Place) -> Iterator[Served]:
    """Yield what other sections saw running, the best first: an engine before PyTorch, the full network before the
    small; at last the processor's engine."""
    folders = (place.work / f"repository-{number}" for number in itertools.count())
    built = [one for one in place.found("tensorrt_rtx").get("engines", ()) if "path" in one]
    for network, precision in (("u2net", "fp16"), ("u2netp", "fp16"), ("u2netp", "int8")):
        for one in built:
            if (one["network"], one["precision"]) == (network, precision) and one["parity"]["passed"]:
                repository = staging.tensorrt_rtx(next(folders), Path(one["path"]), precision)
                yield Served("TensorRT-RTX", network, precision, True, repository)
    for _, prepare in sorted(_of_pytorch(place), key=lambda one: -one[0]):
        yield prepare(next(folders))
    for repository in (CHECKOUT / "model_repository", *([place.pack / "models"] if place.pack else [])):
        on_cpu = installed.find(repository, DEFAULT_MODEL)
        if on_cpu is not None:
            yield Served("OpenVINO on the processor", "u2netp", on_cpu.manifest["precision"], False, repository)
            return


def _of_pytorch(place: Place) -> Iterator[tuple[float, Callable[[Path], Served]]]:
    """Yield images a second in Triton's largest batch, and what prepares a repository, of either way of PyTorch."""
    compiled = place.found("torch_compiled")
    if _right(compiled) and "path" in compiled:
        path = Path(compiled["path"])
        yield _rate(compiled), lambda folder: _pytorch(folder, "PyTorch, compiled", path)
    if _right(plain := place.found("torch_yardstick").get("networks", {}).get("u2net", {})):
        yield _rate(plain), lambda folder: _pytorch(folder, "PyTorch, CUDA graphs", _traced(place))


def _right(one: Mapping[str, Any]) -> bool:
    return bool(one.get("batches")) and bool(one["parity"]["passed"])


def _rate(one: Mapping[str, Any]) -> float:
    return float(one["batches"].get(str(configs.ENGINE_BATCH), {}).get("images_per_s", 0.0))


def _pytorch(folder: Path, runtime: str, network: Path) -> Served:
    repository = staging.pytorch(folder, network, Path(accelerator.torch().__file__).parents[1])
    return Served(f"{runtime}, behind the Python backend", "u2net", "fp16", True, repository)


def _traced(place: Place) -> Path:
    torch = accelerator.torch()
    from alphacut_gpu.pytorch_network import Fused

    path = place.work / "network.pt"
    with torch.inference_mode():
        network = Fused("u2net", torch.float16).cuda()
        torch.jit.save(torch.jit.trace(network, torch.from_numpy(networks.batch(2)).cuda()), path)
    return path


class _Client:
    """The served engine behind the interface of the gate: squares in, as callers of ``pixels`` send them."""

    def __init__(self, url: str) -> None:
        self._triton = InferenceServerClient(url)

    def masks(self, pictures: Pixels) -> tuple[Pixels, np.ndarray]:
        image = InferInput(image_spec(networks.SIZE).name, list(pictures.shape), "UINT8")
        image.set_data_from_numpy(pictures)
        answer = self._triton.infer(DEFAULT_MODEL, [image], client_timeout=60)
        masks, confidences = (answer.as_numpy(name) for name in (mask_spec(networks.SIZE).name, CONFIDENCE.name))
        return masks, confidences


def _rates(best_per_s: float) -> list[float]:
    """Return how many are to arrive a second: shares of what callers who wait got, and what is aimed at if that was."""
    aimed = [_ABOVE * MASKS_PER_S] if best_per_s > _ABOVE * MASKS_PER_S else []
    return aimed + [max(share * best_per_s, 0.5) for share in _SHARES_OF_CLOSED]


def _kept(arrivals: list[dict[str, Any]], limit_s: float) -> float | None:
    """Return the highest rate answered within the promise, or None if it was never kept."""
    kept = [
        one["images_per_s"]
        for one in arrivals
        if one["good"] >= 0.999 and one["latency_ms"].get("p95", float("inf")) < 1e3 * limit_s
    ]
    return max(kept, default=None)
