"""What comes with Alphacut beside its code: in a checkout in folders of its own, installed inside the packages."""

from __future__ import annotations

import os
from pathlib import Path

_PACKAGES = Path(__file__).resolve().parents[1]
"""The folder that core's package lies in: ``core/`` of a checkout, or ``site-packages``."""

CHECKOUT = _PACKAGES.parent
"""The checkout; no such thing where the packages are installed."""

MODEL_REPOSITORY = CHECKOUT / "model_repository"
"""The checkout's model repository; installed packages bring none."""

REPOSITORY_VARIABLE = "ALPHACUT_REPOSITORY"
"""The environment's variable that names another one."""


def repository(chosen: Path | None = None) -> Path:
    """Return the model repository: the one chosen, ``$ALPHACUT_REPOSITORY``, or the checkout's; it need not exist."""
    named = chosen or os.environ.get(REPOSITORY_VARIABLE)
    return Path(named) if named else MODEL_REPOSITORY


def _brought(installed: str, in_checkout: str) -> Path:
    path = _PACKAGES / installed
    return path if path.exists() else CHECKOUT / in_checkout


SAMPLES = _brought("alphacut_engines/samples", "samples")
"""Folder of the sample photographs, JPEG files."""

SCENARIOS = _brought("alphacut_loadtest/scenarios", "loadtest/scenarios")
"""Folder of the load tests' scenarios, TOML files."""

_NETWORK = "alphacut_engines/weights/alphacut-u2netp.onnx"
NETWORK = _brought(_NETWORK, f"build_engines/{_NETWORK}")
"""The bundled network as it was exported, an ONNX file."""
