"""The photographs that everybody gets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from alphacut_core.errors import InputError, UnsupportedImageError
from alphacut_loadtest.bench import pictures
from alphacut_loadtest.bench.pictures import FULL, QUICK, Shot

SAMPLES = Path(__file__).resolve().parents[3] / "samples"


def test_shots_are_made_in_their_size_and_format(tmp_path: Path) -> None:
    made = pictures.make(SAMPLES, tmp_path, (Shot("cat", 90, 60), Shot("coffee", 50, 50, "png")))
    assert [(picture.name, picture.width, picture.height) for picture in made] == [
        ("coffee-50x50.png", 50, 50),
        ("cat-90x60.jpg", 90, 60),
    ]
    with Image.open(made[0].path) as image:
        assert (image.format, image.mode) == ("PNG", "RGB")


def test_they_are_the_same_every_time_and_not_smooth(tmp_path: Path) -> None:
    (first,) = pictures.make(SAMPLES, tmp_path, (Shot("rocket", 1200, 800, "png"),))
    before = first.path.read_bytes()
    pictures.make(SAMPLES, tmp_path, (Shot("rocket", 1200, 800, "png"),))
    assert first.path.read_bytes() == before
    with Image.open(first.path) as image:
        sky = np.asarray(image)[:50, :50].astype(int)
    assert 2 < np.diff(sky, axis=1).std() < 8


def test_a_missing_sample_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"found no .*unicorn\.jpg.*--images"):
        pictures.make(SAMPLES, tmp_path, (Shot("unicorn", 9, 9),))


def test_a_folder_is_read_smallest_first_and_other_files_are_left_alone(photographs: Path) -> None:
    (photographs / "notes.txt").touch()
    assert [picture.name for picture in pictures.load(photographs)] == ["small.png", "large.jpg"]


def test_folders_without_photographs_are_refused(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "absent"):
        with pytest.raises(InputError, match="found no JPEG or PNG file"):
            pictures.load(folder)
    (tmp_path / "page.png").write_text("<html>")
    with pytest.raises(UnsupportedImageError, match=r"page\.png: got .* take it out of the folder"):
        pictures.load(tmp_path)


def test_both_formats_and_a_fourfold_size_are_among_them() -> None:
    assert {shot.format for shot in QUICK} == {shot.format for shot in FULL} == {"jpg", "png"}
    sizes = {(shot.subject, shot.width, shot.height) for shot in FULL}
    assert {("dahlia", 960, 640), ("dahlia", 1920, 1280)} <= sizes
