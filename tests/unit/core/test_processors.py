"""How many processors are counted, in containers and outside."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from alphacut_core import processors


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Control groups of a process in ``/some/container``, on a machine with 64 processors."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: set(range(64)), raising=False)
    monkeypatch.setattr(processors, "_GROUPS", tmp_path / "groups")
    monkeypatch.setattr(processors, "_OWN_GROUPS", tmp_path / "own")
    (tmp_path / "own").write_text("9:cpu:/elsewhere\n0::/some/container\n")
    (tmp_path / "groups" / "some" / "container").mkdir(parents=True)
    return tmp_path / "groups"


@pytest.mark.parametrize(
    ("inner", "outer", "counted"),
    [
        ("max 100000", "max 100000", 64),
        ("6350000 100000", "max 100000", 64),
        ("800000 100000", "max 100000", 8),
        ("150000 100000", "max 100000", 2),
        ("800000 100000", "50000 100000", 1),
        ("10000000 100000", "max 100000", 64),
        ("what is this", "", 64),
    ],
)
def test_the_narrowest_share_counts_and_parts_as_a_whole(machine: Path, inner: str, outer: str, counted: int) -> None:
    (machine / "some" / "container" / "cpu.max").write_text(f"{inner}\n")
    (machine / "some" / "cpu.max").write_text(f"{outer}\n")
    assert processors.count() == counted


def test_a_container_sees_its_own_group_as_the_root(machine: Path) -> None:
    (machine.parent / "own").write_text("0::/\n")
    (machine / "cpu.max").write_text("400000 100000\n")
    assert processors.count() == 4


def test_what_a_process_is_bound_to_counts_without_groups(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {3}, raising=False)
    (machine.parent / "own").unlink()
    assert processors.count() == 1


def test_without_affinity_the_machines_number_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert processors.count() == 1


def test_groups_of_the_first_version_count_too(machine: Path) -> None:
    (machine.parent / "own").write_text("8:memory:/x\n3:cpu,cpuacct:/some/container\n0::/\n")
    group = machine / "cpu" / "some" / "container"
    group.mkdir(parents=True)
    for folder, quota_us in ((group, 300_000), (machine / "cpu", -1)):
        (folder / "cpu.cfs_quota_us").write_text(f"{quota_us}\n")
        (folder / "cpu.cfs_period_us").write_text("100000\n")
    assert processors.count() == 3


def test_a_container_without_the_machines_paths_has_its_group_at_the_root(machine: Path) -> None:
    (machine.parent / "own").write_text("3:cpu,cpuacct:/docker/of/the/machine\n")
    (machine / "cpu").mkdir()
    (machine / "cpu" / "cpu.cfs_quota_us").write_text("150000\n")
    (machine / "cpu" / "cpu.cfs_period_us").write_text("100000\n")
    assert processors.count() == 2


def test_a_quota_is_whole_processors_and_none_without_a_bound(machine: Path) -> None:
    assert processors.quota() is None
    (machine / "cpu.max").write_text("250000 100000\n")
    assert processors.quota() == 3
