"""Files are complete or absent."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from alphacut_core import atomic


def test_folders_are_made_and_an_old_file_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "cutout.png"
    atomic.write(path, b"old")
    atomic.write(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(path.parent.iterdir()) == [path]


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "cutout.png"
    atomic.write(path, b"old")

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(OSError, match="No space left"):
        atomic.write(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_name_may_be_as_long_as_names_can_be(tmp_path: Path) -> None:
    path = tmp_path / f"{'x' * 251}.png"
    atomic.write(path, b"x")
    assert list(tmp_path.iterdir()) == [path]


def test_others_may_read_the_file_as_the_umask_says(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        atomic.write(tmp_path / "cutout.png", b"x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "cutout.png").stat().st_mode) == 0o644


def half_written(path: Path, *, shared: bool) -> None:
    with atomic.draft(path, shared=shared) as place:
        place.write_bytes(b"half")
        raise ValueError("not a network")


@pytest.mark.parametrize("shared", [True, False])
def test_a_draft_that_is_given_up_leaves_the_old_file_and_nothing_else(tmp_path: Path, shared: bool) -> None:
    path = tmp_path / "network.onnx"
    path.write_bytes(b"old")
    with pytest.raises(ValueError, match="not a network"):
        half_written(path, shared=shared)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_two_who_write_one_file_at_the_same_time_do_not_mix(tmp_path: Path) -> None:
    path = tmp_path / "cutout.png"
    with atomic.draft(path) as first, atomic.draft(path) as second:
        first.write_bytes(b"first")
        second.write_bytes(b"second")
    assert path.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_kill_has_left_of_a_file_with_one_writer_is_written_over(tmp_path: Path) -> None:
    path = tmp_path / "last.ckpt"
    killed = atomic.draft(path, shared=False)
    killed.__enter__().write_bytes(b"half of the one before")  # and never leaves
    with atomic.draft(path, shared=False) as place:
        place.write_bytes(b"whole")
    assert path.read_bytes() == b"whole"
    assert list(tmp_path.iterdir()) == [path]
