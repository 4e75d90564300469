"""An engine of full U²-Net for the bench, built by the product's own command, gate included, out of its way."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from alphacut_core import atomic, codec
from alphacut_core.contract import DEFAULT_PIPELINE
from alphacut_core.errors import EngineBuildError, InputError, MissingLibraryError
from alphacut_loadtest.bench import full_u2net

CALIBRATION_SUBJECTS, GATE_SUBJECTS = ("astronaut", "coffee", "dahlia"), ("cat", "pagoda", "rocket")
"""Samples that photographs are cropped from: never the same for what INT8 is fitted to and for what judges it."""

_CALIBRATION_PHOTOGRAPHS, _GATE_PHOTOGRAPHS = 33, 102  # a few more than the builder asks for, equally many a sample
_LEAST_SHARE = 0.5
_JPEG_QUALITY = 95


@dataclass(frozen=True, slots=True)
class OwnBuild:
    """A plain network, for rembg, and the model repository that serves it in the default network's place."""

    weights: Path
    repository: Path


def build(
    small: Path,
    samples: Path,
    folder: Path,
    precision: str,
    *,
    calibration: Path | None = None,
    gate: Path | None = None,
) -> OwnBuild:
    """Widen a small network to full U²-Net and build its engine; no engine if the same build is there.

    Args:
        small: ONNX file of U²-Net-small.
        samples: Folder of the sample photographs.
        folder: Where all of it goes: network, photographs, model repository.
        precision: What ``alphacut build --precision`` takes.
        calibration: Folder of photographs that INT8 is fitted to; default: crops of samples.
        gate: Folder of at least 100 other photographs that engines are judged by; default: crops of other samples.

    Raises:
        EngineBuildError: The builder refused; it has said why on standard error.
        InputError: A sample is missing.
        MissingLibraryError: onnx is not installed.
    """
    try:
        import onnx  # noqa: PLC0415  an extra that only this needs
    except ModuleNotFoundError as error:
        raise MissingLibraryError("onnx is missing; run pip install '.[engines]' in Alphacut's checkout") from error
    weights = folder / f"u2net-of-{small.stem}.onnx"
    calibration = calibration or crops(samples, CALIBRATION_SUBJECTS, _CALIBRATION_PHOTOGRAPHS, folder / "calibration")
    gate = gate or crops(samples, GATE_SUBJECTS, _GATE_PHOTOGRAPHS, folder / "gate")
    with atomic.draft(weights, shared=False) as draft:
        onnx.save(full_u2net.widen(onnx.load(small)), draft)  # anew: the small network may be another since then
    order = ["--like", "u2net", "--name", DEFAULT_PIPELINE.engine, "--precision", precision]
    places = ["--repository", folder / "model_repository", "--calibration", calibration, "--gate", gate]
    command = [sys.executable, "-m", "alphacut_client", "build", str(weights), *order, *map(str, places)]
    # What it prints is not the bench's result.
    if subprocess.run(command, stdout=sys.stderr, check=False).returncode:
        raise EngineBuildError(f"full U²-Net was not built; this is the command that failed: {' '.join(command)}")
    return OwnBuild(weights, folder / "model_repository")


def crops(samples: Path, subjects: tuple[str, ...], photographs: int, folder: Path) -> Path:
    """Write square crops of samples, half of them mirrored, the same at every call; a full folder is left alone."""
    if len(list(folder.glob("*.jpg"))) == photographs:
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    chance = np.random.default_rng(0)
    for subject in subjects:
        sample = samples / f"{subject}.jpg"
        if not sample.is_file():
            raise InputError(f"found no {sample}, of which photographs are cropped; run this in a checkout")
        picture = codec.decode(sample.read_bytes()).convert("RGB")
        for number in range(photographs // len(subjects)):
            side = int(min(picture.size) * chance.uniform(_LEAST_SHARE, 1))
            left, top = (int(chance.integers(0, whole - side + 1)) for whole in picture.size)
            crop: Image.Image = picture.crop((left, top, left + side, top + side))
            shown = ImageOps.mirror(crop) if number % 2 else crop
            shown.save(folder / f"{subject}-{number:02}.jpg", quality=_JPEG_QUALITY)
    return folder
