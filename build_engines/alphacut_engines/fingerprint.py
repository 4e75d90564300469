"""When is a file the same file, and a build the same build."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import alphacut_core
from alphacut_core.contract import CONTRACT_VERSION
from alphacut_core.errors import EngineSourceError
from alphacut_engines import external_data, processor
from alphacut_engines.order import Order

_TOOLS = (
    "onnx",
    "onnxconverter-common",
    "onnxruntime",
    "onnxslim",
    "openvino",
    "tensorrt-rtx-cu13-bindings",
)

_OF_CORE = ("agreement", "codec", "geometry", "openvino_core", "probe", "tiers")
"""Modules of the core that decide what a build comes to: bounds, squares, how it is run, the known answer, sizes."""


def of_file(path: Path, remedy: str = "give the path of an ONNX file") -> str:
    """Return the SHA-256 of a file as hexadecimal digits.

    Args:
        path: The file.
        remedy: What to do if it cannot be read.

    Raises:
        EngineSourceError: The file cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(2**20):
                digest.update(chunk)
    except OSError as error:
        raise EngineSourceError(f"cannot read {path}: {error.strerror}; {remedy}") from error
    return digest.hexdigest()


def of_network(path: Path) -> str:
    """Return a hash of an ONNX file and of the files that its weights lie in; without such it is ``of_file``'s.

    A file that is not there is the source stage's to refuse.

    Raises:
        EngineSourceError: A file cannot be read.
    """
    alone = of_file(path)
    beside = [file for file in external_data.files(path) if file.is_file()]
    if not beside:
        return alone
    digest = hashlib.sha256(alone.encode())
    for file in beside:
        digest.update(os.fsencode(os.path.relpath(file, path.parent)) + of_file(file).encode())
    return digest.hexdigest()


def of_pictures(folder: Path | None) -> str | None:
    """Return a hash of the content of a folder of photographs.

    Raises:
        EngineSourceError: One cannot be read.
    """
    if folder is None:
        return None
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.iterdir() if path.is_file()):
        digest.update(os.fsencode(path.name) + of_file(path, "mend it or take it away").encode())
    return digest.hexdigest()


def of_build(order: Order, source_sha256: str) -> str:
    """Return a hash over all that the outcome of a build depends on; it is cheap and imports no tool."""
    facts = {
        "recipe": order.recipe.facts(),
        "own": order.recipe.weights is None,  # for which nothing that was measured before counts
        "tier": [order.tier, order.native_size],
        "source": source_sha256,
        "target": order.target,
        "precision": order.precision,
        "level": order.level,
        "gate": _of_folder(order.gate),
        "calibration": _of_folder(order.calibration),
        "processor": [processor.lacking(precision) for precision in ("bf16", "int8")],
        **of_stages(),
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def of_stages() -> dict[str, Any]:
    """Return what every stage depends on besides its inputs."""
    return {"contract": CONTRACT_VERSION, "tools": tools(), "code": code()}


def tools() -> Mapping[str, str]:
    """Return the versions of the installed packages that shape an engine."""
    return {name: version for name in _TOOLS if (version := _version(name)) is not None}


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _of_folder(folder: Path | None) -> list[tuple[str, int, int]] | None:
    """Return names, sizes and times of change: reading hundreds of photographs takes too long for a look."""
    if folder is None:
        return None
    files = (path for path in sorted(folder.iterdir()) if path.is_file())
    return [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in files]


def code() -> str:
    """Return a hash of the source that makes engines: a changed stage builds anew without a version to remember."""
    folder, core = Path(__file__).parent, Path(alphacut_core.__file__).parent
    digest = hashlib.sha256()
    decisive = [core / f"{name}.py" for name in _OF_CORE]
    for path in sorted([*folder.glob("*.py"), *folder.glob("weights/*.json")]) + decisive:
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()
