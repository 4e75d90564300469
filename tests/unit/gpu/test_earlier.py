"""Sections that are run again are merged with what was found before."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

GPU = Path(__file__).resolve().parents[2] / "gpu"


SERVED = {"runtime": "OpenVINO", "network": "u2netp", "precision": "int8", "callers": {}}
NOTHING = {"callers": 8, "ways": {}}


def outcome(name: str, status: str = "ran", found: dict[str, Any] | None = None, **others: str) -> Any:
    from alphacut_gpu.course import Outcome
    from alphacut_gpu.sections import SECTIONS

    section = next(one for one in SECTIONS if one.name == name)
    return Outcome(section, status, others.pop("reason", ""), 7.0, found or {}, **others)


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    from alphacut_gpu import earlier, report

    assert earlier.read(tmp_path / "nowhere") == []
    written = [
        outcome("machine", found={"gpus": []}, log="one\n== two\nthree", began="2026-01-01T00:00:00+00:00"),
        outcome("tensorrt_rtx", "not run", reason="no GPU"),
        outcome("serving", "failed", SERVED, reason="it broke", log="words"),
    ]
    report.write(written, tmp_path)
    read = earlier.read(tmp_path)
    assert [(one.section, one.status, one.reason, one.found, one.log.strip(), one.began) for one in read] == [
        (one.section, one.status, one.reason, one.found, one.log, one.began) for one in written
    ]


def test_a_course_that_was_ended_meanwhile_is_not_under_way_any_more(tmp_path: Path) -> None:
    from alphacut_gpu import course, earlier, report

    report.write([outcome("serving", course.UNDER_WAY, SERVED)], tmp_path)
    (read,) = earlier.read(tmp_path)
    assert (read.status, read.reason) == (course.TIMED_OUT, "the course was ended while it ran")


def test_what_is_no_report_is_refused(tmp_path: Path) -> None:
    from alphacut_gpu import earlier

    for content in ("{", "[]", '{"sections": {"serving": {"status": "ran"}}}'):
        (tmp_path / "gpu.json").write_text(content)
        with pytest.raises(earlier.EarlierError, match="no report of this course"):
            earlier.read(tmp_path)


def test_a_section_that_finds_nothing_does_not_take_away_what_was_found() -> None:
    from alphacut_gpu import earlier

    before = [outcome("serving", found={"callers": {"8": {}}}), outcome("around", "failed")]
    fresh = [outcome("machine"), outcome("around", found={"ways": {}}), outcome("serving", "not run", reason="no GPU")]
    merged = earlier.merge(before, fresh)
    assert [(one.section.name, one.status, one.found, one.reason) for one in merged] == [
        ("machine", "ran", {}, ""),
        ("around", "ran", {"ways": {}}, ""),
        ("serving", "ran", {"callers": {"8": {}}}, "run again: not run: no GPU"),
    ]


def test_sections_that_run_again_see_what_others_found_but_no_files_of_theirs(tmp_path: Path) -> None:
    from alphacut_gpu import earlier, serving
    from alphacut_gpu.place import Place

    batches = {"batches": {"16": {"images_per_s": 9.0}}, "parity": {"passed": True}}
    network = {"network": "u2net", "precision": "fp16"}
    before = [
        outcome("tensorrt_rtx", found={"engines": [{**network, "path": "/gone", **batches}]}),
        outcome("torch_compiled", found={"path": "/gone", **batches}),
        outcome("serving", found=SERVED),
    ]
    place = Place(tmp_path, None, quick=True)
    earlier.leave(place, before, ["serving"])
    assert place.found("serving") == {}
    assert place.found("tensorrt_rtx")["engines"] == [{**network, **batches}]
    assert place.found("torch_compiled") == batches
    assert not [one for one in serving._candidates(place) if one.on_gpu]


def test_single_sections_are_run_again_from_the_command_line(tmp_path: Path) -> None:
    from alphacut_gpu import report

    report.write([outcome("machine", found={"gpus": []}), outcome("around", found=NOTHING)], tmp_path)
    command = [sys.executable, "-m", "alphacut_gpu", "--out", str(tmp_path), "--sections"]
    subprocess.run([*command, "machine"], cwd=GPU, check=True)
    told = json.loads((tmp_path / "gpu.json").read_text())["sections"]
    assert list(told) == ["machine", "around"]
    assert "processor" in told["machine"]["found"]
    assert told["around"]["found"] == NOTHING
    refused = subprocess.run([*command, "engines"], cwd=GPU, capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert "got 'engines'; allowed are machine, torch_yardstick" in refused.stderr
