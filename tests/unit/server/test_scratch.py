"""Temporary folders: names that a shell leaves alone, and nothing that stays behind."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from alphacut_core.errors import ServerStartError
from alphacut_core.folder_lock import beside_others
from alphacut_server import scratch


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_a_folder_goes_with_its_use_even_if_somebody_was_faster(place: Path) -> None:
    with scratch.folder() as folder:
        assert folder.parent == place
        (folder / "work").mkdir()
    assert not folder.exists()
    with scratch.folder() as folder:
        shutil.rmtree(folder)


def test_a_folder_in_use_is_locked_for_those_who_clean_up(place: Path) -> None:
    with scratch.folder() as folder:
        descriptor = os.open(folder, os.O_RDONLY)
        with pytest.raises(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(descriptor)


def test_a_place_that_is_gone_is_named_with_the_remedy(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(place / "gone"))
    with pytest.raises(ServerStartError, match=r"gone.*TMPDIR"), scratch.folder():
        pass


def test_no_folder_has_a_name_that_a_shell_takes_apart(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    odd = place / "Ann's files"
    odd.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(odd))
    with scratch.folder() as folder:
        assert not folder.is_relative_to(place)
        assert scratch.plain(place, folder) == place
        named = scratch.plain(odd, folder)
        assert named.parent == folder
        assert named.samefile(odd)


def test_what_killed_supervisors_left_is_removed_and_nothing_else(place: Path) -> None:
    with subprocess.Popen(["true"]) as ended:
        pass
    left = place / f"alphacut-server-{ended.pid}-x"
    others = [place / f"alphacut-server-{os.getpid()}-x", place / "alphacut-server-ours-x", place / "alphacut-load-x"]
    for folder in (left, *others):
        (folder / "work").mkdir(parents=True)
    with beside_others(left):  # as a server does in a container where that number is still its own
        scratch.remove_orphans()
        assert left.exists()
    scratch.remove_orphans()
    assert not left.exists()
    assert all(folder.exists() for folder in others)


def test_what_cannot_be_looked_into_keeps_nothing_else(place: Path) -> None:
    with subprocess.Popen(["true"]) as ended:
        pass
    closed = [place / f"alphacut-server-{ended.pid}-{number}" for number in range(8)]
    for path in closed:
        path.touch()  # no folder, which fails as that of another user does
    left = place / f"alphacut-server-{ended.pid}-x"
    left.mkdir()
    scratch.remove_orphans()
    assert sorted(place.iterdir()) == closed
