"""Shared memory that servers leave whose supervisor was killed."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from alphacut_core import shared_memory
from alphacut_server.triton import remove_orphaned_regions


def test_regions_of_killed_supervisors_are_removed_but_for_those_that_cannot_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_memory, "FOLDER", tmp_path)
    with subprocess.Popen(["true"]) as ended:
        pass
    left = [tmp_path / f"alphacut_{ended.pid}_{name}" for name in ("first", "last")]
    others = [tmp_path / f"alphacut_{os.getpid()}_region", tmp_path / "alphacut_ours_region"]
    for region in (*left, *others):
        region.touch()
    stubborn = tmp_path / f"alphacut_{ended.pid}_folder"  # which cannot be unlinked, as another user's file cannot
    stubborn.mkdir()
    remove_orphaned_regions()
    assert sorted(tmp_path.iterdir()) == sorted([*others, stubborn])
