"""The package of tests/gpu, which is no part of an installation."""

from __future__ import annotations

import sys
from pathlib import Path

GPU = Path(__file__).resolve().parents[2] / "gpu"
sys.path.append(str(GPU))
