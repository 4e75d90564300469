from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from alphacut_core.errors import EngineSourceError, InputError
from alphacut_training import data, pairs, store
from alphacut_training.pairs import Pair
from alphacut_training.settings import Settings

from .conftest import disc, write_discs


def pair(folder: Path, picture: Image.Image, mask: Image.Image | None) -> Pair:
    picture.save(folder / "picture.png")
    if mask is not None:
        mask.save(folder / "mask.png")
    return Pair("picture", folder / "picture.png", None if mask is None else folder / "mask.png")


def test_pictures_are_matched_with_masks_by_name_whatever_the_format(tmp_path: Path) -> None:
    write_discs(tmp_path, 3)
    (tmp_path / "images" / "disc001.png").rename(tmp_path / "images" / "disc001.jpg")
    found, findings = pairs.find(tmp_path)
    assert [one.name for one in found] == ["disc000", "disc001", "disc002"]
    assert not findings


def test_a_missing_mask_or_picture_is_named(tmp_path: Path) -> None:
    write_discs(tmp_path, 3)
    (tmp_path / "masks" / "disc001.png").unlink()
    (tmp_path / "images" / "disc002.png").unlink()
    found, findings = pairs.find(tmp_path)
    assert [one.name for one in found] == ["disc000"]
    assert {one.name: one.problem.split(" of ")[0] for one in findings} == {
        "disc001": "no mask",
        "disc002": "no picture",
    }


def test_a_folder_without_pairs_is_refused_with_the_layout(tmp_path: Path) -> None:
    with pytest.raises(EngineSourceError, match=r"images/.*masks/.*cutouts/"):
        pairs.find(tmp_path)


def test_three_pictures_are_refused_before_anything_is_trained(tmp_path: Path) -> None:
    with pytest.raises(EngineSourceError, match=r"got 3 usable pairs.*at least 20"):
        data.survey(write_discs(tmp_path, 3), lambda _line: None)


def test_what_is_left_out_is_counted_by_reason(tmp_path: Path) -> None:
    write_discs(tmp_path, 25)
    for number in range(4):
        Image.new("L", (7, 7), 255).save(tmp_path / "masks" / f"disc00{number}.png")
    (tmp_path / "images" / "disc004.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    Image.new("L", (96, 96)).save(tmp_path / "masks" / "disc005.png")
    told: list[str] = []
    with pytest.raises(EngineSourceError, match="got 19 usable pairs") as refusal:
        data.survey(tmp_path, told.append)
    assert "4 left out: picture is 96x96, its mask 7x7" in str(refusal.value)
    assert "1 left out: its mask is empty" in str(refusal.value)
    assert "broken" in str(refusal.value)


def test_files_of_one_name_are_not_passed_over_in_silence(tmp_path: Path) -> None:
    write_discs(tmp_path, 2)
    disc(7)[0].save(tmp_path / "images" / "disc001.jpg")
    found, findings = pairs.find(tmp_path)
    assert [one.image.name for one in found] == ["disc000.png", "disc001.png"]
    assert [(one.name, one.problem) for one in findings] == [
        ("disc001.jpg", "another file in images/ has this name but for its ending")
    ]


def test_a_background_that_cannot_be_read_costs_only_itself(tmp_path: Path) -> None:
    (tmp_path / "backgrounds").mkdir()
    Image.new("RGB", (50, 50)).save(tmp_path / "backgrounds" / "wall.png")
    (tmp_path / "backgrounds" / "door.png").write_bytes(b"broken")
    told: list[str] = []
    data.Pictures(Settings(data=write_discs(tmp_path, 20), output=tmp_path / "run"), told.append)
    assert any(line.startswith("1 left out: ") and "backgrounds/door.png" in line for line in told)
    assert "1 backgrounds without a subject" in told


def test_sixteen_bit_masks_are_scaled(tmp_path: Path) -> None:
    picture, mask = disc(0)
    deep = Image.fromarray(np.asarray(mask).astype(np.uint16) * 257)
    _, read = pairs.read(pair(tmp_path, picture, deep))
    assert np.array_equal(np.asarray(read), np.asarray(mask))


@pytest.mark.parametrize("brightest", [1, 255])
def test_sixteen_bit_masks_whose_upper_byte_is_empty_are_refused(tmp_path: Path, brightest: int) -> None:
    picture, mask = disc(0)
    low = Image.fromarray((np.asarray(mask) // 255 * brightest).astype(np.uint16))
    with pytest.raises(InputError, match="16 bits and no value from 256 on; export it as 8-bit grey"):
        pairs.read(pair(tmp_path, picture, low))


def test_a_cut_out_is_its_own_mask(tmp_path: Path) -> None:
    picture, mask = disc(0)
    cutout = picture.copy()
    cutout.putalpha(mask)
    read, alpha = pairs.read(pair(tmp_path, cutout, None))
    assert read.mode == "RGB"
    assert np.array_equal(np.asarray(alpha), np.asarray(mask))


def test_a_cut_out_without_transparency_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no transparency"):
        pairs.read(pair(tmp_path, disc(0)[0], None))


def test_an_empty_mask_is_refused_with_the_place_for_such_pictures(tmp_path: Path) -> None:
    picture, _ = disc(0)
    _, findings = store.build([pair(tmp_path, picture, Image.new("L", picture.size))])
    assert "backgrounds/" in findings[0].problem
