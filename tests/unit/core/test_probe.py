"""The picture with a known answer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from alphacut_core import codec, probe
from alphacut_core.errors import AlphacutError


def test_the_probe_is_the_same_picture_every_time() -> None:
    image = codec.decode(probe.picture())
    assert (image.mode, image.size) == ("RGB", (320, 320))
    assert probe.picture() == probe.picture()
    assert image.getpixel((160, 200)) == (190, 40, 36)


def test_a_stored_answer_is_read_back_whole(tmp_path: Path) -> None:
    mask = np.random.default_rng(2).integers(0, 256, (32, 32), dtype=np.uint8)
    probe.store_answer(mask, tmp_path)
    np.testing.assert_array_equal(probe.load_answer(tmp_path), mask)


def test_a_damaged_answer_is_a_typed_error(tmp_path: Path) -> None:
    (tmp_path / probe.ANSWER_FILE).write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(AlphacutError):
        probe.load_answer(tmp_path)


@pytest.mark.parametrize(("shift", "expected"), [(0, 0.0), (3, 3.0), (200, 200.0)])
def test_the_difference_of_two_masks_is_its_mean(shift: int, expected: float) -> None:
    mask = np.full((8, 8), 20, np.uint8)
    assert probe.mean_difference(mask, mask + np.uint8(shift)) == expected
    assert probe.mean_difference(mask + np.uint8(shift), mask) == expected


def test_masks_of_different_shapes_differ_as_much_as_masks_can() -> None:
    assert probe.mean_difference(np.zeros((8, 8), np.uint8), np.zeros((8, 9), np.uint8)) == 255
