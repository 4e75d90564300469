"""Where a result comes from."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from alphacut_loadtest.bench import machine


def test_this_machine_is_described() -> None:
    here = machine.here()
    assert here.processor
    assert 1 <= here.cores <= (os.cpu_count() or 1)
    assert here.memory_bytes > 2**28
    assert here.system.startswith("Linux ")


def test_a_commit_is_told_with_whether_files_differ(tmp_path: Path) -> None:
    def git(*arguments: str) -> str:
        identity = ["-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false"]
        command = ["git", "-C", str(tmp_path), *identity, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    git("init")
    git("commit", "--allow-empty", "-m", "first")
    assert machine.commit(tmp_path) == machine.Commit(git("rev-parse", "HEAD"), changed=False)
    (tmp_path / "new").touch()
    changed = machine.commit(tmp_path)
    assert changed is not None
    assert changed.changed
    inside = tmp_path / "environment"
    inside.mkdir()
    assert machine.commit(inside) is None, "the commit of another project"


def test_no_checkout_has_no_commit(tmp_path: Path) -> None:
    assert machine.commit(tmp_path) is None
