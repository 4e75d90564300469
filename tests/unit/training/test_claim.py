from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from alphacut_core.errors import EngineSourceError
from alphacut_training.claim import Origin, claim, last_checkpoint, start_file

from .test_fit import quick

ORIGIN: Origin = {"command": "prune", "start": "0011", "ratio": 0.5}


@pytest.fixture
def held(tmp_path: Path) -> Path:
    """A folder with the checkpoint of a run."""
    claim(quick(tmp_path, tmp_path / "run"), ORIGIN)
    last_checkpoint(tmp_path / "run").parent.mkdir()
    last_checkpoint(tmp_path / "run").write_bytes(b"weights")
    start_file(tmp_path / "run").write_text("{}")
    return tmp_path / "run"


def test_a_folder_of_another_run_is_refused_with_the_difference(held: Path) -> None:
    settings = quick(held.parent, held, learning_rate=0.5)
    with pytest.raises(EngineSourceError, match=r"\(learning_rate 0\.002 -> 0\.5\); give another --output"):
        claim(settings, ORIGIN)
    assert json.loads((held / "settings.json").read_text())["learning_rate"] == 0.002


@pytest.mark.parametrize(
    ("origin", "difference"),
    [
        ({**ORIGIN, "start": "2233"}, "start 0011 -> 2233"),
        ({**ORIGIN, "ratio": 0.25}, "ratio 0.5 -> 0.25"),
        ({"command": "train", "architecture": "u2netp"}, "command prune -> train, start 0011 -> None"),
    ],
)
def test_another_beginning_is_another_run(held: Path, origin: Origin, difference: str) -> None:
    with pytest.raises(EngineSourceError, match=difference):
        claim(quick(held.parent, held), origin)


def test_the_same_run_goes_on_for_longer(held: Path) -> None:
    claim(replace(quick(held.parent, held), epochs=9, workers=1), ORIGIN)
    assert json.loads((held / "settings.json").read_text())["epochs"] == 9
    assert start_file(held).exists()


def test_without_a_checkpoint_there_is_no_run_to_go_on_with(held: Path) -> None:
    last_checkpoint(held).unlink()
    claim(quick(held.parent, held, learning_rate=0.5), {})
    assert json.loads((held / "settings.json").read_text())["learning_rate"] == 0.5
    assert not start_file(held).exists()
