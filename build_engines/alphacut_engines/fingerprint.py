"""When is a file the same file, and a build the same build."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

from alphacut_core.contract import CONTRACT_VERSION
from alphacut_core.errors import EngineSourceError
from alphacut_engines.registry import ModelRecipe

_TOOLS = ("onnx", "onnxruntime", "onnxslim")


def of_file(path: Path) -> str:
    """Return the SHA-256 of a file as hexadecimal digits.

    Raises:
        EngineSourceError: The file cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(2**20):
                digest.update(chunk)
    except OSError as error:
        raise EngineSourceError(f"cannot read {path}: {error.strerror}; give the path of an ONNX file") from error
    return digest.hexdigest()


def of_build(recipe: ModelRecipe, source_sha256: str, target: str, precision: str) -> str:
    """Return a hash over all that the outcome of a build depends on; it is cheap and imports no tool."""
    facts = {
        "recipe": recipe.facts(),
        "source": source_sha256,
        "target": target,
        "precision": precision,
        "contract": CONTRACT_VERSION,
        "tools": tools(),
        "code": _code(),
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def tools() -> Mapping[str, str]:
    """Return the versions of the packages that shape an engine."""
    return {name: metadata.version(name) for name in _TOOLS}


def _code() -> str:
    """Return a hash of this package's source: a changed stage builds anew without a version to remember."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()
