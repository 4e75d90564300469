"""How the memory of a whole process tree is summed, and that it is seen while work is done."""

from __future__ import annotations

import os
import subprocess
import sys

from alphacut_loadtest.bench.memory import of_server, summarise, watch
from alphacut_loadtest.bench.usage import NOTHING, Memory, ProcessTree

HOLDS = "import sys\nheld = bytearray(64 * 2**20)\nprint(flush=True)\nsys.stdin.readline()\n"


def test_the_most_is_of_one_moment_and_each_processs_own_of_any() -> None:
    samples = [
        {"client": Memory(5, 6, 4), "a": Memory(10, 20, 9), "b": Memory(1, 2, 0)},
        {"client": Memory(5, 6, 4), "a": Memory(3, 4, 2), "b": Memory(7, 9, 6)},
    ]
    found = summarise("mask-encoded", 4, samples)
    assert found.server == Memory(11, 22, 9)
    assert found.everything == Memory(16, 28, 13)
    assert found.processes == {"client": Memory(5, 6, 4), "a": Memory(10, 20, 9), "b": Memory(7, 9, 6)}


def test_a_process_that_came_later_counts_from_then_on() -> None:
    found = summarise(
        "mask-encoded", 1, [{"client": Memory(1, 1, 0)}, {"client": Memory(1, 1, 0), "late": Memory(4, 5, 3)}]
    )
    assert found.processes["late"] == found.server == Memory(4, 5, 3)


def test_the_client_is_no_part_of_the_server() -> None:
    assert of_server({"client": Memory(1, 1, 0)}) == NOTHING


def test_memory_of_a_child_is_seen_while_work_is_done() -> None:
    with subprocess.Popen([sys.executable, "-c", HOLDS], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        found = watch(ProcessTree(os.getpid()), "held", 1, lambda: None)
        child.communicate()
    assert found.samples >= 1
    assert found.server.pss_bytes > found.server.own_bytes > 64 * 2**20
    assert found.everything.pss_bytes > found.server.pss_bytes
