"""Makes ``deployment``, beside this file, importable: these tests have no package."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
