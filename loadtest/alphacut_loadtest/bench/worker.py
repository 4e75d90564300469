"""A contender's process: orders in, one JSON object a line, answers out.

Started by ``process.WorkerProcess``; everything that a contender needs lives in here, so that its processor time
and memory are the process tree's, and nobody else's.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from alphacut_core.errors import MissingLibraryError
from alphacut_loadtest.bench import loop
from alphacut_loadtest.bench.subject import Setting, Subject

_SUBJECTS = {
    "rembg": ("rembg_inprocess", "RembgInProcess"),
    "rembg-http": ("rembg_server", "RembgServer"),
    "alphacut": ("alphacut_service", "AlphacutService"),
    "engine": ("bare_engine", "BareEngine"),
}


def main() -> None:
    """Serve one subject until standard input ends."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what libraries print must not get in between

    def answer(**values: Any) -> None:
        answers.write(json.dumps(values) + "\n")

    name, contender = sys.argv[1:3]
    setting = Setting.from_json(sys.argv[3])
    module, kind = _SUBJECTS[name]
    pictures = [path.read_bytes() for path in setting.pictures]
    begun, started = time.time(), time.perf_counter()
    try:
        make: Callable[[Setting], Subject] = getattr(importlib.import_module(f"alphacut_loadtest.bench.{module}"), kind)
        imported = time.time()
        subject = make(setting)
    except MissingLibraryError as error:
        answer(unavailable=str(error))
        return
    with subject:
        with subject.awake():
            subject.call(contender, 1)(pictures[0])
        start_s = time.perf_counter() - started
        marks = {"begun": begun, "imported": imported, **subject.marks, "answered": begun + start_s}
        answer(start_s=start_s, marks=marks, versions=subject.versions())
        for line in sys.stdin:
            order = json.loads(line)
            with subject.awake():
                answer(**_ORDERS[order.pop("order")](subject, pictures, **order))


def _run(
    subject: Subject, pictures: Sequence[bytes], *, contender: str, concurrency: int, passes: int, only_first: bool
) -> dict[str, Any]:
    call = subject.call(contender, concurrency)
    before = subject.stages_s()
    done = loop.run(call, pictures[:1] if only_first else pictures, passes, concurrency)
    after = subject.stages_s()
    spent_s = {stage: after[stage] - before.get(stage, 0.0) for stage in after}
    return {
        "wall_s": done.wall_s,
        "latencies_s": done.latencies_s,
        "stages_s": {stage: seconds for stage, seconds in spent_s.items() if seconds > 0},
    }


def _answer(
    subject: Subject, pictures: Sequence[bytes], *, contender: str, concurrency: int, picture: int, path: str
) -> dict[str, Any]:
    Path(path).write_bytes(subject.call(contender, concurrency)(pictures[picture]))
    return {}


_ORDERS: Mapping[str, Callable[..., dict[str, Any]]] = {"run": _run, "answer": _answer}

if __name__ == "__main__":
    main()
