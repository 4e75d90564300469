"""What ``alphacut serve`` refuses before it starts anything."""

from __future__ import annotations

import subprocess
import sys


def test_nothing_waits_for_the_end_of_a_standard_input_that_there_is_none_of() -> None:
    command = f"exec '{sys.executable}' -m alphacut_server serve --until-stdin-closes <&-"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "there is none; give it a pipe" in done.stderr
