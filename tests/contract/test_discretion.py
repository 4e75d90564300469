"""The repository works anywhere: it names no machine, folder or package host of those who wrote it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Spelt in pieces, lest this file be the one that is found.
PLACES = re.compile(r"pypi" + r"\.org|files\.pythonhosted|[ \"'`(=]/" + r"work/|\.\./" + r"shared|/root" + r"/")


def places(text: str) -> list[str]:
    return [found[0] for found in PLACES.finditer(text)]


def tracked_files() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("this is no git checkout, so there is no list of what belongs to the repository")
    return [ROOT / name for name in listed.stdout.decode().split("\0") if name]


def test_no_tracked_file_names_a_place_of_its_makers() -> None:
    for path in tracked_files():
        if path.is_file():
            assert places(path.read_text(errors="ignore")) == [], path.relative_to(ROOT)


@pytest.mark.parametrize("text", ["see ../" + "shared/data", "cp /" + "work/x .", "https://py" + "pi.org/simple"])
def test_a_planted_place_is_found(text: str) -> None:
    assert places(text)
