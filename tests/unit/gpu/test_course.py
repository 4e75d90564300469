"""Sections run apart, within their time, and none stops another."""

from __future__ import annotations

import itertools
import json
import sys
import types
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.waiting import wait_until

SECTIONS = {
    "good": "place.keep('good', {'speed': 7})",
    "lacking": "raise NotRunError('no GPU: there is none')",
    "foreign": "import no_such_library",
    "libraryless": "from alphacut_core.errors import MissingLibraryError\n    raise MissingLibraryError('install it')",
    "broken": "place.keep('broken', {'half': 1}); raise ZeroDivisionError('planted')",
    "endless": "import time\n    print('loaded'); place.keep('endless', {'half': 1}); time.sleep(600)",
    "killed": "import os; os.kill(os.getpid(), 9)",
    "leaving": "import subprocess; place.keep('leaving', {'child': subprocess.Popen(['sleep', '600']).pid})",
}
WORKER = """
import sys
from pathlib import Path
from alphacut_gpu import place as places, worker
from alphacut_gpu.place import NotRunError
sys.path.insert(0, {folder!r})
import planted
sys.modules["alphacut_gpu." + sys.argv[1]] = planted.modules[sys.argv[1]]
worker.SECTIONS = [planted.Named(name) for name in planted.modules]
sys.exit(worker.main())
"""


@pytest.fixture(scope="module")
def told() -> list[list[Any]]:
    """What was told while the course was under way: all outcomes so far, each time."""
    return []


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory, told: list[list[Any]]) -> dict[str, Any]:
    """A course of sections that end in every way there is."""
    folder = tmp_path_factory.mktemp("course")
    from alphacut_gpu import course
    from alphacut_gpu.place import Place
    from alphacut_gpu.sections import Section

    lines = ["import types", "from alphacut_gpu.place import NotRunError", "modules = {}"]
    lines += ["class Named:", "    def __init__(self, name): self.name = name"]
    for name, body in SECTIONS.items():
        lines += [f"def {name}(place):", f"    {body}", f"modules[{name!r}] = types.SimpleNamespace(measure={name})"]
    (folder / "planted.py").write_text("\n".join(lines))
    program = folder / "python"
    (folder / "worker.py").write_text(WORKER.format(folder=str(folder)))
    program.write_text(f'#!/bin/sh\nshift 2\nexec {sys.executable} {folder}/worker.py "$@"\n')
    program.chmod(0o755)
    place = Place(folder / "work", None, quick=True)
    place.work.mkdir()
    sections = [Section(name, name.title(), 10 if name == "endless" else 120) for name in SECTIONS]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(course.sys, "executable", str(program))
        patched.setattr(course, "_TOLD_EVERY_S", 0.1)
        ended = course.run(sections, place, 600, lambda line: None, lambda so_far: told.append(list(so_far)))
        ended += course.run([Section("late", "Late", 10)], place, 0, lambda line: None)
    return {outcome.section.name: outcome for outcome in ended}


def command_line(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:  # another test's, about to be gone
        return ""


def test_every_section_ends_in_its_own_way_and_what_was_found_is_kept(outcomes: dict[str, Any]) -> None:
    from alphacut_gpu import report

    status = {name: outcome.status for name, outcome in outcomes.items()}
    assert status == {
        **{"good": "ran", "lacking": "not run", "foreign": "not run", "libraryless": "not run", "broken": "failed"},
        **{"endless": "ran out of time", "killed": "failed", "leaving": "ran", "late": "not run"},
    }
    assert outcomes["good"].found == {"speed": 7}
    assert outcomes["lacking"].reason == "no GPU: there is none"
    assert outcomes["libraryless"].reason == "install it"
    assert "no_such_library" in outcomes["foreign"].reason
    assert "ZeroDivisionError: planted" in outcomes["broken"].reason
    assert outcomes["endless"].found == outcomes["broken"].found == {"half": 1}
    assert "in endless" in outcomes["endless"].reason, "where it hung"
    assert "SIGKILL" in outcomes["killed"].reason
    assert not [words for words in map(command_line, psutil.Process().children(recursive=True)) if "worker.py" in words]
    page = report.markdown(list(outcomes.values()), "today")
    assert "| Lacking | not run |" in page
    assert "- Lacking: no GPU: there is none" in page
    written = json.loads(json.dumps(report.as_dict(list(outcomes.values()))))
    assert written["sections"]["endless"]["status"] == "ran out of time"
    assert {one["verdict"] for one in written["targets"]} == {"not run"}


def test_nothing_that_a_section_leaves_running_outlives_it(outcomes: dict[str, Any]) -> None:
    def ended() -> bool:
        try:
            return psutil.Process(outcomes["leaving"].found["child"]).status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return True

    wait_until("the end of the child", ended)


def test_what_is_found_is_written_while_the_course_is_under_way(
    outcomes: dict[str, Any], told: list[list[Any]], tmp_path: Path
) -> None:
    from alphacut_gpu import course, report

    hanging = [so_far for so_far in told if so_far[-1].section.name == "endless"]
    assert [one.section.name for one in hanging[0][:-1]] == list(SECTIONS)[: list(SECTIONS).index("endless")]
    written = []
    for so_far in hanging:
        report.write(so_far, tmp_path / "out")
        written.append(json.loads((tmp_path / "out" / "gpu.json").read_text())["sections"])
    assert [one["good"]["found"] for one in written] == [{"speed": 7}] * len(written)
    ends = [(one["endless"]["status"], one["endless"]["found"]) for one in written]
    assert (course.UNDER_WAY, {"half": 1}) in ends
    assert ends[-1] == (course.TIMED_OUT, {"half": 1})
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(report.FILES)
    log = (tmp_path / "out" / "gpu.log").read_text()
    assert "ZeroDivisionError: planted" in log
    assert "in endless" in log


def test_what_is_reserved_for_a_later_section_is_not_used_up_by_an_earlier_one(tmp_path: Path) -> None:
    from alphacut_gpu import course
    from alphacut_gpu.place import Place
    from alphacut_gpu.sections import Section

    told: list[str] = []
    first, last = Section("first", "First", 50), Section("last", "Last", 50, reserved_s=80)
    (ended, _) = course.run([first, last], Place(tmp_path, None, quick=True), 80, told.append)
    assert (ended.status, ended.reason.partition(", ")[2]) == ("not run", "or is reserved for later sections")
    assert [line for line in told if "at most" in line] == ["First (at most 0 s)", "Last (at most 50 s)"]


@pytest.mark.parametrize("unpacked_s", [0, 30, 60, 400, 900])
def test_a_whole_run_ends_in_time_whichever_sections_hang(
    unpacked_s: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from alphacut_gpu import course, sections
    from alphacut_gpu.place import Place

    clock = {"now_s": 0.0}
    hanging: tuple[str, ...] = ()
    given: dict[str, float] = {}

    def run(section: sections.Section, place: Place, budget_s: float, keep: Any) -> course.Outcome:
        given[section.name] = budget_s
        clock["now_s"] += budget_s + course.END_S if section.name in hanging and budget_s > 0 else 0.0
        return course.Outcome(section, course.TIMED_OUT, "", 0.0, {})

    monkeypatch.setattr(course, "time", types.SimpleNamespace(monotonic=lambda: clock["now_s"]))
    monkeypatch.setattr(course, "_run", run)
    names = [one.name for one in sections.SECTIONS]
    for hanging in itertools.chain.from_iterable(itertools.combinations(names, n) for n in range(len(names) + 1)):
        clock["now_s"] = unpacked_s
        left_s = sections.COURSE_S - unpacked_s
        course.run(sections.SECTIONS, Place(tmp_path, None, quick=True), left_s, lambda line: None)
        assert clock["now_s"] <= max(sections.COURSE_S, unpacked_s), hanging
        if unpacked_s <= 60:
            assert all(given[one.name] >= one.reserved_s - course.END_S for one in sections.SECTIONS), hanging
            assert given["serving"] >= 165, hanging


def test_what_is_reserved_leaves_time_for_what_comes_before() -> None:
    from alphacut_gpu import sections

    reserved_s = sum(one.reserved_s for one in sections.SECTIONS)
    assert sections.COURSE_S - reserved_s >= 60 + 200, "unpacking on a slow disk; engines alone"
    assert all(one.reserved_s <= one.budget_s for one in sections.SECTIONS)
    assert sections.WHOLE_S <= 9.5 * 60
    assert sections.WHOLE_S - sections.COURSE_S >= 10, "to begin, and to remove what was unpacked"
