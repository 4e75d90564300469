"""The gate's choice as files, so that it can be kept and taken up again."""

from __future__ import annotations

import json
from pathlib import Path

import onnx

from alphacut_engines import calibration, report
from alphacut_engines.ladder import Choice
from alphacut_engines.manifest import CALIBRATION_FILE, PAGE_FILE, REPORT_FILE

NETWORK_FILE = "network.onnx"
_CHOICE_FILE = "choice.json"


def write(choice: Choice, folder: Path) -> None:
    """Write a choice into an empty folder."""
    (folder / NETWORK_FILE).write_bytes(choice.model.SerializeToString())
    facts = {"precision": choice.precision, "compile_options": dict(choice.compile_options)}
    (folder / _CHOICE_FILE).write_text(json.dumps(facts))
    write_findings(choice, folder)


def write_findings(choice: Choice, folder: Path) -> None:
    """Write what gate and calibration found, where there was something to find."""
    for name, part in ((REPORT_FILE, choice.report), (CALIBRATION_FILE, choice.calibration)):
        if part is not None:
            (folder / name).write_text(part.to_json())
    if choice.page is not None:
        (folder / PAGE_FILE).write_text(choice.page)


def read(folder: Path) -> Choice:
    """Read what ``write`` wrote."""
    facts = json.loads((folder / _CHOICE_FILE).read_text())
    judged, ranges, page = (folder / name for name in (REPORT_FILE, CALIBRATION_FILE, PAGE_FILE))
    return Choice(
        precision=facts["precision"],
        compile_options=facts["compile_options"],
        model=onnx.load(folder / NETWORK_FILE),
        report=report.read(judged) if judged.is_file() else None,
        page=page.read_text() if page.is_file() else None,
        calibration=calibration.read(ranges) if ranges.is_file() else None,
    )
