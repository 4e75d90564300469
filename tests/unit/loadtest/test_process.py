"""A contender's process, played by a shell script: started, asked, and ended with all that it started."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from alphacut_core.errors import MissingLibraryError, ServerStartError
from alphacut_loadtest.bench.contenders import CONTENDERS
from alphacut_loadtest.bench.process import WorkerProcess
from alphacut_loadtest.bench.subject import Setting
from alphacut_loadtest.bench.usage import ProcessTree

ENGINE = CONTENDERS[-1]
FIRST = """echo '{"start_s": 0.5, "marks": {"begun": 1.5}, "versions": {"engine": "1"}}'"""

Start = Callable[[str], WorkerProcess]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Start a worker whose interpreter is a script."""

    def run(script: str) -> WorkerProcess:
        python = tmp_path / "python"
        python.write_text(f"#!/bin/bash\n{script}\n")
        python.chmod(0o755)
        return WorkerProcess(ENGINE, Setting(tmp_path, tmp_path, tmp_path, []), python)

    return run


def test_it_gets_its_subject_and_setting_and_tells_its_versions(start: Start, tmp_path: Path) -> None:
    with start(f'echo "$@" > {tmp_path}/arguments; {FIRST}; read line') as worker:
        assert worker.start_s == 0.5
        assert worker.marks == {"begun": 1.5}
        assert worker.versions == {"engine": "1"}
    module, subject, contender, setting = (tmp_path / "arguments").read_text().split(maxsplit=4)[1:]
    assert (module, subject, contender) == ("alphacut_loadtest.bench.worker", "engine", "engine-decode")
    assert Setting.from_json(setting) == Setting(tmp_path, tmp_path, tmp_path, [])


def test_orders_are_answered_in_turn(start: Start) -> None:
    with start(f'{FIRST}; while read -r line; do echo "{{\\"got\\": $line}}"; done') as worker:
        assert worker.ask("run", ENGINE, 4, passes=2)["got"] == {
            "order": "run", "contender": "engine-decode", "concurrency": 4, "passes": 2,
        }  # fmt: skip
        assert worker.ask("answer", ENGINE, 1)["got"]["order"] == "answer"


def test_a_missing_library_is_told_as_such(start: Start) -> None:
    with pytest.raises(MissingLibraryError, match="rembg is missing"):
        start("""echo '{"unavailable": "rembg is missing"}'""")


def test_an_unasked_end_is_told_with_the_last_words(start: Start) -> None:
    with pytest.raises(ServerStartError, match=r"ended unasked(.|\n)*out of memory"):
        start("echo 'out of memory' >&2; exit 3")


def test_an_end_in_the_middle_of_an_order_is_told_too(start: Start) -> None:
    worker = start(f"{FIRST}; read line; echo 'out of memory' >&2")
    with worker, pytest.raises(ServerStartError, match="out of memory"):
        worker.ask("run", ENGINE, 1)


def test_what_it_started_goes_with_it(start: Start) -> None:
    with start(f"sleep 1000 & {FIRST}; read line; exit 0") as worker:
        (child,) = psutil.Process(worker.pid).children()
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
    assert not psutil.pid_exists(worker.pid)


def test_closing_twice_is_fine(start: Start) -> None:
    worker = start(f"{FIRST}; read line")
    worker.close()
    worker.close()


EXACT_S = 0.005  # half of the kernel's smallest step


def of_each_s(tree: ProcessTree) -> float:
    return sum(tree.cpu_by_process_s().values())


def of_ended_s(pid: int) -> float:
    """Processor seconds of a tree's ended processes."""
    root = psutil.Process(pid)
    return sum(sum(process.cpu_times()[2:4]) for process in (root, *root.children(recursive=True)))


def test_a_trees_time_and_memory_are_those_of_all_its_processes(start: Start) -> None:
    script = (
        "import sys; block = bytearray(150 << 20); block = None; block = bytearray(50 << 20); "
        "print(1, flush=True); sys.stdin.readline(); "
        "print(sum(range(5_000_000)), flush=True); sys.stdin.readline()"
    )
    with start(f"{FIRST}; exec 3>&1; python3 -c {json.dumps(script)}") as worker:
        tree = ProcessTree(worker.pid)
        assert worker._answer() == 1
        idle_s = tree.cpu_s()
        tree.reset_peaks()
        worker.ask("run", ENGINE, 1)
        assert tree.cpu_s() > idle_s
        before_s, all_s, after_s = of_each_s(tree), tree.cpu_s(), of_each_s(tree)
        assert before_s - EXACT_S < all_s < after_s + of_ended_s(worker.pid) + EXACT_S
        assert set(tree.cpu_by_process_s()) == {"client", *tree.memory()} != {"client"}
        peaks = tree.peak_rss_bytes()
        assert peaks.pop("client") < 50 << 20
        assert 50 << 20 < sum(peaks.values()) < 100 << 20
