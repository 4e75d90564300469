from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image

from alphacut_core.errors import EngineSourceError
from alphacut_training import checkpoint, cli, label, pairs
from alphacut_training.network import U2Net

from .conftest import disc, write_discs
from .test_fit import TINY


def bright(picture: Image.Image) -> np.ndarray:
    """Find the disc, as a network that knows it would, at the network's own size."""
    grey = np.asarray(picture.convert("L").resize((64, 64), Image.Resampling.BOX), np.float32)
    return (grey > 110).astype(np.float32) * 0.98 + 0.01


def folder_of(root: Path, **pictures: Image.Image) -> Path:
    (root / "images").mkdir(parents=True, exist_ok=True)
    for name, picture in pictures.items():
        picture.save(root / "images" / f"{name}.png")
    return root


def test_pictures_without_masks_get_the_networks(tmp_path: Path) -> None:
    picture, truth = disc(3)
    data = folder_of(tmp_path / "data", alone=picture)
    taken, left_out = label.label(bright, data, tmp_path / "out")
    assert (taken, left_out) == (1, [])
    found, _ = pairs.find(tmp_path / "out")
    kept, mask = pairs.read(found[0])
    assert np.array_equal(np.asarray(kept), np.asarray(picture))
    subject, true_subject = np.asarray(mask) > 127, np.asarray(truth) > 127
    assert np.count_nonzero(subject & true_subject) > 0.9 * np.count_nonzero(subject | true_subject)
    assert np.asarray(mask).min() == 0  # drawn away from 0.5: a network's own 0.01 and 0.99 are meant as 0 and 1
    assert np.asarray(mask).max() == 255


def test_a_mask_that_is_there_is_kept_if_the_network_agrees(tmp_path: Path) -> None:
    data = write_discs(tmp_path / "data", 2)
    wrong = np.zeros((96, 96), np.uint8)
    wrong[:5] = 255
    Image.fromarray(wrong).save(data / "masks" / "disc001.png")
    taken, left_out = label.label(bright, data, tmp_path / "out")
    assert taken == 1
    assert [(one.name, one.problem) for one in left_out] == [("images/disc001.png", "mask and network disagree")]
    kept = (tmp_path / "out" / "masks" / "disc000.png").read_bytes()
    assert kept == (data / "masks" / "disc000.png").read_bytes()
    assert not (tmp_path / "out" / "images" / "disc001.png").exists()


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (np.zeros((50, 50)), "no subject, or a very small one"),
        (np.ones((50, 50)), "all of it subject"),
        (np.where(np.arange(2500).reshape(50, 50) % 4 == 0, 0.9, 0.4), "the network is unsure"),
        (np.where(np.arange(2500).reshape(50, 50) % 4 == 0, 0.9, 0.1), ""),
    ],
)
def test_an_answer_becomes_a_mask_only_where_the_network_is_sure(answer: np.ndarray, problem: str) -> None:
    assert label.problem_of(answer, None) == problem


def test_backgrounds_stay_those_in_which_the_network_sees_nothing(tmp_path: Path) -> None:
    picture, _ = disc(3)
    data = tmp_path / "data"
    (data / "backgrounds").mkdir(parents=True)
    picture.save(data / "backgrounds" / "taken.png")
    Image.new("RGB", (60, 40), (20, 30, 40)).save(data / "backgrounds" / "wall.png")
    taken, left_out = label.label(bright, data, tmp_path / "out")
    assert taken == 1
    assert [one.problem for one in left_out] == ["the network sees a subject"]
    assert [path.name for path in (tmp_path / "out" / "backgrounds").iterdir()] == ["wall.png"]


def test_bad_pictures_cost_only_themselves(tmp_path: Path) -> None:
    data = write_discs(tmp_path / "data", 2)
    (data / "images" / "broken.jpg").write_bytes(b"not a picture")
    Image.new("L", (7, 7)).save(data / "masks" / "disc001.png")
    taken, left_out = label.label(bright, data, tmp_path / "out")
    assert taken == 1
    problems = {one.name: one.problem for one in left_out}
    assert set(problems) == {"images/broken.jpg", "images/disc001.png"}
    assert "export the mask at the picture's size" in problems["images/disc001.png"]


def test_a_run_that_was_ended_goes_on_where_it_was(tmp_path: Path) -> None:
    data = folder_of(tmp_path / "data", **{f"p{number}": disc(number)[0] for number in range(4)})
    seen = []

    def ended_at_third(picture: Image.Image) -> np.ndarray:
        if len(seen) == 2:
            raise KeyboardInterrupt
        seen.append(picture)
        return bright(picture)

    with pytest.raises(KeyboardInterrupt):
        label.label(ended_at_third, data, tmp_path / "out")
    with (tmp_path / "out" / "labels.csv").open("a") as file:
        file.write("images/p2.png")  # a line that a kill has torn off
    asked = []
    taken, left_out = label.label(lambda one: asked.append(one) or bright(one), data, tmp_path / "out")  # type: ignore[func-returns-value]
    assert (taken, left_out, len(asked)) == (4, [], 2)
    with (tmp_path / "out" / "labels.csv").open(newline="") as file:
        assert [row for row in csv.reader(file)] == [[f"images/p{number}.png", ""] for number in range(4)]
    assert len(list((tmp_path / "out" / "masks").iterdir())) == 4


def test_a_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EngineSourceError, match="lay them into images/"):
        label.label(bright, tmp_path, tmp_path / "out")


def test_the_command_labels_with_a_network_from_the_disk(tmp_path: Path) -> None:
    torch.manual_seed(0)
    checkpoint.save(U2Net(TINY), tmp_path / "teacher.pth")
    data = write_discs(tmp_path / "data", 2)
    arguments = ["--model", tmp_path / "teacher.pth", "--data", data, "--output", tmp_path / "out", "--size", "64"]
    result = CliRunner().invoke(cli.label, [str(one) for one in arguments])
    assert result.exit_code == 0, result.output
    assert "left out" in result.output
    assert "look through its masks/" in result.output
