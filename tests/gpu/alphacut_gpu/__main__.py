"""``python -m alphacut_gpu``: the whole course."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from alphacut_gpu import check, course, earlier, libpython, report
from alphacut_gpu.carried import LIBRARIES, PackError, unpack
from alphacut_gpu.course import Outcome
from alphacut_gpu.earlier import EarlierError
from alphacut_gpu.place import CHECKOUT, Place
from alphacut_gpu.sections import COURSE_S, SECTIONS


def main() -> int:
    """Run it; the exit status is 1 if a section failed or ran out of time, or ``--check`` found something lacking."""
    parser = argparse.ArgumentParser(prog="tests/gpu/run.sh", description="Find out what a GPU makes of Alphacut.")
    parser.add_argument("--check", action="store_true", help="Only say, in seconds, what this machine lacks.")
    parser.add_argument("--pack", type=Path, help="Folder that tests/gpu/pack.sh made, whole or in pieces.")
    parser.add_argument("--out", type=Path, default=CHECKOUT / "out" / "gpu", help="For gpu.json, gpu.md and gpu.log.")
    parser.add_argument("--quick", action="store_true", help="Seconds instead of minutes; numbers mean nothing.")
    parser.add_argument(
        "--sections", type=_named, metavar="NAME,...", help="Only these; others stay as --out has them."
    )
    asked = parser.parse_args()
    if asked.check:
        return check.tell()
    begin = time.monotonic()
    sections = [one for one in SECTIONS if asked.sections is None or one.name in asked.sections]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("error: ended from outside; what was found so far is written"))
    # What a driver holds may still be written to; everything that was found is out of there by then.
    with tempfile.TemporaryDirectory(prefix="alphacut-gpu-", ignore_cleanup_errors=True) as folder:
        work = Path(folder)
        try:
            before = earlier.read(asked.out) if asked.sections else []
            pack = unpack(asked.pack.resolve(), work / "pack") if asked.pack else None
        except (PackError, EarlierError) as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
        if pack is not None:
            os.environ["ALPHACUT_HOME"] = str(work / "home")  # nothing of this machine's is used or changed
            libpython.offer(pack / LIBRARIES)
        left_s = COURSE_S - (time.monotonic() - begin)
        place = Place(work, pack, asked.quick)
        earlier.leave(place, before, [one.name for one in sections])

        def keep(so_far: Sequence[Outcome]) -> None:
            report.write(earlier.merge(before, so_far), asked.out)

        outcomes = course.run(sections, place, left_s, _tell, keep)
    _tell(f"written to {asked.out}: {', '.join(report.FILES)}")
    return 1 if any(outcome.status in (course.FAILED, course.TIMED_OUT) for outcome in outcomes) else 0


def _named(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    known = [one.name for one in SECTIONS]
    if unknown := [name for name in names if name not in known]:
        raise argparse.ArgumentTypeError(f"got {', '.join(map(repr, unknown))}; allowed are {', '.join(known)}")
    return names


def _tell(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
