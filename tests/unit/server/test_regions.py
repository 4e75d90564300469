"""Shared memory: each server's own, until it ends or is killed, whatever number its process has."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from alphacut_core import shared_memory
from alphacut_core.errors import ServerStartError
from alphacut_server import regions

HOLD = """
import sys
from pathlib import Path
from alphacut_core import shared_memory
from alphacut_server import regions

shared_memory.FOLDER = Path(sys.argv[1])
with regions.own() as prefix:
    print(prefix, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(shared_memory, "FOLDER", tmp_path)
    return tmp_path


def test_regions_go_with_their_server_and_no_others(place: Path) -> None:
    other = place / "alphacut_ours_region"
    other.touch()
    with regions.own() as prefix:
        (place / f"{prefix}region").touch()
    assert list(place.iterdir()) == [other]


def test_two_servers_of_the_same_process_number_leave_each_others_regions_alone(place: Path) -> None:
    with regions.own() as first:
        (place / f"{first}region").touch()
        with regions.own() as second:  # as in another container, where this number stands for another process
            (place / f"{second}region").touch()
            assert first.startswith(f"alphacut_{os.getpid()}-")
            assert second.startswith(f"alphacut_{os.getpid()}-")
        regions.remove_orphans()
        assert {path.name for path in place.iterdir()} == {f"{first}region", f"{first}lock"}


def test_regions_of_killed_servers_are_removed_but_for_those_that_cannot_be(place: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(place)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        prefix = server.stdout.readline().strip()
        region, stubborn = place / f"{prefix}region", place / f"{prefix}folder"
        region.touch()
        stubborn.mkdir()  # which cannot be unlinked, as another user's file cannot
        regions.remove_orphans()
        assert region.exists()
        server.kill()
    regions.remove_orphans()
    assert list(place.iterdir()) == [stubborn]


def test_a_name_that_was_taken_for_an_orphans_in_the_moment_of_its_making_is_not_used(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = iter(["first", "second"])

    def drawn(_n_bytes: int) -> str:
        return next(names)

    lock = regions.fcntl.flock

    def too_late(descriptor: int, operation: int) -> None:
        lock(descriptor, operation)
        (place / f"alphacut_{os.getpid()}-first_lock").unlink(missing_ok=True)

    monkeypatch.setattr(regions.secrets, "token_hex", drawn)
    monkeypatch.setattr(regions.fcntl, "flock", too_late)
    with regions.own() as prefix:
        assert prefix == f"alphacut_{os.getpid()}-second_"


def test_where_nothing_can_be_written_the_server_says_so(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_memory, "FOLDER", place / "gone")
    with pytest.raises(ServerStartError, match=r"cannot write to .*gone \(No such file or directory\)"), regions.own():
        pass
