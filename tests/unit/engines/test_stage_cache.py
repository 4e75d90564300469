"""A finished stage is not made again, after a kill for instance, unless something that it depends on changed."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from alphacut_core.errors import EngineBuildError
from alphacut_engines import evidence, pipeline
from alphacut_engines.evidence import Evidence
from alphacut_engines.order import Order
from alphacut_engines.recipe import ModelRecipe
from alphacut_engines.stage_cache import StageCache
from alphacut_engines.stages import Step

KEPT = "kept from an earlier build"
CACHED = ["optimise", "fuse", "gate", "engine", "probe"]


def build(order: Order) -> dict[str, str]:
    """Build and return what each stage said last."""
    steps: list[Step] = []
    pipeline.build(order, steps.append)
    return {step.stage: step.outcome for step in steps}


def kept(said: dict[str, str]) -> list[str]:
    return [stage for stage, outcome in said.items() if KEPT in outcome]


@pytest.mark.parametrize(
    ("moment", "finished"),
    [
        ("optimise.optimise", []),
        ("fuse.fuse", CACHED[:1]),
        ("ladder.climb", CACHED[:2]),
        ("speed.time_ms", CACHED[:4]),
        ("install._move_in", CACHED),
    ],
)
def test_a_killed_build_is_taken_up_where_it_ended(make_order, moment: str, finished: list[str]) -> None:
    order = make_order()
    module, function = moment.split(".")
    code = f"""
        import os, signal
        from pathlib import PosixPath
        from alphacut_engines import {module}, pipeline
        from alphacut_engines.order import Order
        from alphacut_engines.recipe import ModelRecipe
        {module}.{function} = lambda *arguments: os.kill(os.getpid(), signal.SIGKILL)
        pipeline.build({order!r}, print)
    """
    killed = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=False)
    assert killed.returncode == -9, killed.stderr
    assert kept(build(order)) == finished


def test_stages_that_do_not_depend_on_the_precision_are_shared(make_order, make_photographs) -> None:
    gate = make_photographs("gate", 100)
    build(make_order(gate=gate))
    said = build(make_order(gate=gate, tier="full", precision="auto"))
    assert kept(said)[:2] == ["optimise", "fuse"]
    assert KEPT not in said["gate"]


def test_everything_is_made_anew_when_forced_or_when_the_network_changed(make_order, make_network) -> None:
    order = make_order()
    build(order)
    assert kept(build(dataclasses.replace(order, force=True))) == []
    order.source.write_bytes(make_network(bias=0.5).SerializeToString())
    assert kept(build(order)) == []


def test_changed_photographs_are_looked_at_whatever_their_names_and_times(make_order, make_photographs) -> None:
    folder = make_photographs("gate", 101)
    order = make_order(gate=folder)
    build(order)
    first, second = sorted(folder.iterdir())[:2]
    times = first.stat().st_atime_ns, first.stat().st_mtime_ns
    first.write_bytes(second.read_bytes())
    os.utime(first, ns=times)
    elsewhere = dataclasses.replace(order, repository=order.repository.with_name("elsewhere"))
    assert "gate" not in kept(build(elsewhere))


def test_a_gate_without_evidence_does_not_count_where_there_is_some(
    make_order, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = make_order(precision="auto")
    monkeypatch.setattr(evidence, "of", lambda *_: Evidence(None, frozenset()))
    build(order)
    monkeypatch.setattr(evidence, "of", lambda *_: Evidence(None, frozenset({"bf16"})))
    elsewhere = dataclasses.replace(order, repository=order.repository.with_name("elsewhere"))
    found = kept(build(elsewhere))
    assert found[:2] == ["optimise", "fuse"]
    assert "gate" not in found


def test_a_users_own_copy_of_a_published_network_is_not_the_published_one(make_order, recipe: ModelRecipe) -> None:
    order = make_order()
    build(dataclasses.replace(order, recipe=dataclasses.replace(recipe, weights=None)))
    assert "install" in build(order)


@pytest.fixture
def cache(tmp_path: Path) -> StageCache:
    return StageCache({}, refresh=False, folder=tmp_path / "stages", max_bytes=10_000)


def write(size: int) -> Callable[[Path], None]:
    return lambda folder: (folder / "file").write_bytes(b"x" * size) and None


def test_a_damaged_result_is_noticed_and_made_anew(cache: StageCache) -> None:
    path = cache.through("stage", {}, write(100)).folder / "file"
    path.write_bytes(b"y" * 100)
    entry = cache.through("stage", {}, write(100))
    assert (path.read_bytes(), entry.note) == (b"x" * 100, " (made anew, what was kept was damaged)")
    assert KEPT in cache.through("stage", {}, write(100)).note


def test_the_results_used_longest_ago_go_when_all_together_are_too_large(cache: StageCache) -> None:
    entries = [cache.through("stage", {"number": number}, write(4000)) for number in range(3)]
    for age, entry in enumerate(reversed(entries)):
        os.utime(entry.folder, (1e9 - age, 1e9 - age))
    cache.through("stage", {"number": 0}, write(4000))  # used again
    cache.prune()
    assert [entry.folder.is_dir() for entry in entries] == [True, False, True]


def test_what_a_killed_build_left_half_made_is_removed(cache: StageCache, tmp_path: Path) -> None:
    entry = cache.through("stage", {}, write(10))
    left = tmp_path / "stages" / f".stage-0.{os.getpid()}.0"  # a number that may be another process's by now
    left.mkdir()
    (left / "file").write_bytes(b"half")
    cache.prune()
    assert [path.name for path in (tmp_path / "stages").iterdir()] == [entry.folder.name]


def test_what_a_build_in_another_container_makes_is_left_alone(
    cache: StageCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    monkeypatch.setattr(os, "getpid", lambda: gone.pid)  # as a process is that this container cannot see

    def make(folder: Path) -> None:
        cache.prune()
        write(10)(folder)

    assert KEPT not in cache.through("stage", {}, make).note
    assert KEPT in cache.through("stage", {}, make).note


def test_what_somebody_else_put_there_is_left_alone(cache: StageCache, tmp_path: Path) -> None:
    cache.through("stage", {}, write(10))
    stray = tmp_path / "stages" / ".DS_Store"
    stray.write_text("of a desktop")
    cache.prune()
    assert stray.is_file()
    assert KEPT in cache.through("stage", {}, write(10)).note


def test_what_another_build_made_meanwhile_is_not_replaced_under_its_reader(cache: StageCache) -> None:
    def overtaken(folder: Path) -> None:
        cache.through("stage", {}, write(10))
        (folder / "file").write_bytes(b"late")

    assert (cache.through("stage", {}, overtaken).folder / "file").read_bytes() == b"x" * 10


@pytest.mark.parametrize("refresh", [False, True])
def test_builds_that_make_the_same_at_once_do_not_disturb_each_other(tmp_path: Path, refresh: bool) -> None:
    def make(i: int) -> None:
        cache = StageCache({}, refresh=refresh, folder=tmp_path / "stages", max_bytes=2_000)
        cache.through("stage", {"number": i // 2}, write(1000))
        cache.prune()

    with ThreadPoolExecutor(4) as builds:
        list(builds.map(make, range(200)))


def test_a_folder_that_cannot_be_written_is_named_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    blocked = StageCache({}, refresh=False, folder=tmp_path / "file")
    with pytest.raises(EngineBuildError, match=r"stage stage: cannot keep .*ALPHACUT_HOME"):
        blocked.through("stage", {}, write(10))
