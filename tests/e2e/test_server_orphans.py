"""Processes of an embedded server whose supervisor is killed before its stubs have begun to serve."""

from __future__ import annotations

import os
import select
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

pytestmark = pytest.mark.triton

# Instead of a model: says that the stub is there, and stands still before it can be initialised.
NEVER_IMPORTED = "import ctypes\nopen({pipe!r}, 'w').close()\nctypes.PyDLL(None).pause()\n"


@pytest.fixture
def stub_is_there(tmp_path: Path) -> Iterator[int]:
    """The reading end of a named pipe."""
    os.mkfifo(tmp_path / "pipe")
    descriptor = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    yield descriptor
    os.close(descriptor)


@pytest.fixture
def starting(repository: Path, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A server of which one model's import does not return."""
    own = Path(shutil.copytree(repository, tmp_path / "model_repository", symlinks=True))
    (own / "preprocess" / "1" / "model.py").write_text(NEVER_IMPORTED.format(pipe=str(tmp_path / "pipe")))
    command = [sys.executable, "-m", "alphacut_server", "serve", "--tier", "full", "--repository", str(own)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    yield process
    process.kill()
    process.wait()


def test_no_process_outlives_a_supervisor_that_is_killed_while_a_model_is_imported(
    starting: subprocess.Popen[bytes], stub_is_there: int
) -> None:
    poll = select.poll()
    poll.register(stub_is_there, select.POLLIN)
    assert poll.poll(200_000), "no stub was started"
    everything = psutil.Process(starting.pid).children(recursive=True)
    assert any("preprocess" in " ".join(process.cmdline()) for process in everything)
    starting.kill()
    starting.wait()
    _, left = psutil.wait_procs(everything, timeout=20)
    names = [process.name() for process in left]
    for process in left:
        process.kill()
    assert names == []
