"""One section in a process of its own: ``python -m alphacut_gpu.worker NAME --work DIR``."""

from __future__ import annotations

import argparse
import faulthandler
import importlib
import signal
import sys
from pathlib import Path

from alphacut_core.errors import MissingLibraryError
from alphacut_gpu.course import NOT_RUN_STATUS
from alphacut_gpu.place import NotRunError, Place
from alphacut_gpu.sections import SECTIONS


def main() -> int:
    """Find out what the section is for; return the exit status."""
    parser = argparse.ArgumentParser(prog="alphacut_gpu.worker")
    parser.add_argument("section", choices=[section.name for section in SECTIONS])
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--pack", type=Path)
    parser.add_argument("--quick", action="store_true")
    asked = parser.parse_args()
    place = Place(asked.work, asked.pack, asked.quick)
    faulthandler.enable()
    faulthandler.register(signal.SIGUSR2)  # sent to one whose time is up: where it hangs is its last word
    try:
        importlib.import_module(f"alphacut_gpu.{asked.section}").measure(place)
    except (NotRunError, MissingLibraryError, ModuleNotFoundError) as reason:
        if isinstance(reason, ModuleNotFoundError) and str(reason.name).startswith("alphacut"):
            raise  # ours is a bug; another's missing library is a reason, since not everything can be carried along
        print(" ".join(str(reason).split()), file=sys.stderr)
        return NOT_RUN_STATUS
    return 0


if __name__ == "__main__":
    sys.exit(main())
