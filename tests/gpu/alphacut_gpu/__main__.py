"""``python -m alphacut_gpu``: the whole course."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from pathlib import Path

from alphacut_gpu import check, course, report
from alphacut_gpu.carried import PackError, unpack
from alphacut_gpu.place import CHECKOUT, Place
from alphacut_gpu.sections import COURSE_S, SECTIONS


def main() -> int:
    """Run it; the exit status is 1 if a section failed or ran out of time, or ``--check`` found something lacking."""
    parser = argparse.ArgumentParser(prog="tests/gpu/run.sh", description="Find out what a GPU makes of Alphacut.")
    parser.add_argument("--check", action="store_true", help="Only say, in seconds, what this machine lacks.")
    parser.add_argument("--pack", type=Path, help="Folder that tests/gpu/pack.sh made, whole or in pieces.")
    parser.add_argument("--out", type=Path, default=CHECKOUT / "out" / "gpu", help="For gpu.json, gpu.md and gpu.log.")
    parser.add_argument("--quick", action="store_true", help="Seconds instead of minutes; numbers mean nothing.")
    asked = parser.parse_args()
    if asked.check:
        return check.tell()
    begin = time.monotonic()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("error: ended from outside; what was found so far is written"))
    with tempfile.TemporaryDirectory(prefix="alphacut-gpu-") as folder:
        work = Path(folder)
        try:
            pack = unpack(asked.pack.resolve(), work / "pack") if asked.pack else None
        except PackError as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
        if pack is not None:
            os.environ["ALPHACUT_HOME"] = str(work / "home")  # nothing of this machine's is used or changed
            os.environ["LD_LIBRARY_PATH"] = f"{pack / 'libraries'}:{os.environ.get('LD_LIBRARY_PATH', '')}"
        left_s = COURSE_S - (time.monotonic() - begin)
        place = Place(work, pack, asked.quick)
        outcomes = course.run(SECTIONS, place, left_s, _tell, lambda so_far: report.write(so_far, asked.out))
    _tell(f"written to {asked.out}: {', '.join(report.FILES)}")
    return 1 if any(outcome.status in (course.FAILED, course.TIMED_OUT) for outcome in outcomes) else 0


def _tell(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
