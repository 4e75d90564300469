"""The ``alphacut`` command's front door, which opens even where the command line's libraries are missing."""

from __future__ import annotations

import importlib
import importlib.util
import sys

_LIBRARIES = ("click", "rich")


def main() -> None:
    """Run the command line."""
    missing = [name for name in _LIBRARIES if importlib.util.find_spec(name) is None]
    if missing:
        sys.stderr.write(
            f"error: the command line needs {' and '.join(missing)}; run pip install '.[cli]' in Alphacut's checkout\n"
        )
        sys.exit(1)
    importlib.import_module("alphacut_client.commands").alphacut(prog_name="alphacut")
