"""Stage calibrate: what INT8 must cover, measured on photographs, and which layers it must leave alone."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import onnx

from alphacut_core.errors import EngineBuildError
from alphacut_core.geometry import Pixels
from alphacut_engines import gate, sensitivity
from alphacut_engines.histogram import METHODS, Histogram
from alphacut_engines.photographs import Photographs
from alphacut_engines.quantise import Activations, Ranges, convolutions, quantise
from alphacut_engines.reference import Reference
from alphacut_engines.watched import Watched

MIN_PICTURES = 32
_MAX_PICTURES = 128
_TRIAL_PICTURES = 24
_ALL_KINDS: tuple[Activations, ...] = get_args(Activations)


@dataclass(frozen=True, kw_only=True, slots=True)
class Calibration:
    """All that INT8 needs to know about one network.

    Attributes:
        source_sha256: Checksum of the ONNX file that it belongs to.
        pictures: Number of photographs that were seen.
        method: How ranges were drawn from what was seen; the best of those tried.
        trials: Mean |Δ| (of 255) of each method on some of the photographs.
        ranges: Tensor to lowest and highest value.
        excluded: Type of activations to names of convolutions that are left out.
    """

    source_sha256: str
    pictures: int
    method: str
    trials: Mapping[str, float]
    ranges: Ranges
    excluded: Mapping[str, list[str]]

    def to_json(self) -> str:
        """Return the calibration as JSON."""
        return json.dumps(dataclasses.asdict(self), indent=1) + "\n"


def read(path: Path) -> Calibration:
    """Read what ``Calibration.to_json`` wrote.

    Raises:
        EngineBuildError: Something else.
    """
    try:
        content = json.loads(path.read_bytes())
        ranges = {name: (float(low), float(high)) for name, (low, high) in content.pop("ranges").items()}
        return Calibration(ranges=ranges, **content)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise EngineBuildError(f"{path} is no calibration ({error}); pass --calibration DIR to make one") from error


def calibrate(
    fused: onnx.ModelProto, photographs: Photographs, source_sha256: str, kinds: Sequence[Activations] = _ALL_KINDS
) -> Calibration:
    """Watch the network at work on photographs.

    Args:
        fused: The FP32 graph of the wire contract.
        photographs: Evenly spread over what the engine will see; up to 128 of them are used.
        source_sha256: Checksum of the network's file.
        kinds: Types of activations to look for harmful convolutions in, which takes longest by far.
    """
    seen = photographs.some(_MAX_PICTURES)
    histograms = collect(fused, seen)
    trial = photographs.some(_TRIAL_PICTURES)
    wanted = gate.answers(Reference(fused, "calibrate"), trial)
    by_method = {
        method: {tensor: histogram.range(method) for tensor, histogram in histograms.items()} for method in METHODS
    }
    trials = {method: _loss(fused, ranges, trial, wanted) for method, ranges in by_method.items()}
    best = min(trials, key=lambda method: trials[method])
    return Calibration(
        source_sha256=source_sha256,
        pictures=len(seen.paths),
        method=best,
        trials=trials,
        ranges=by_method[best],
        excluded={kind: sensitivity.search(fused, by_method[best], kind, trial, wanted) for kind in kinds},
    )


def collect(fused: onnx.ModelProto, photographs: Photographs) -> dict[str, Histogram]:
    """Return a histogram of the input of every convolution."""
    tensors = sorted({node.input[0] for node in convolutions(fused)})
    watched = Watched(fused, tensors, "calibrate")
    histograms = {name: Histogram() for name in tensors}
    for _, square in photographs:
        for name, value in watched.values(square[None]).items():
            histograms[name].add(value)
    return histograms


def _loss(fused: onnx.ModelProto, ranges: Ranges, trial: Photographs, wanted: list[Pixels]) -> float:
    engine = Reference(quantise(fused, ranges, "uint8"), "calibrate")
    return gate.measure(engine, trial, wanted).agreement.mean_difference
