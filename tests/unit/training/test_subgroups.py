from __future__ import annotations

import numpy as np

from alphacut_training import subgroups

SIDE = 100


def picture(mask: np.ndarray, subject: tuple[int, int, int], ground: tuple[int, int, int]) -> np.ndarray:
    return np.where(mask[..., None] > 127, np.uint8(subject), np.uint8(ground))


def box(*boxes: tuple[int, int, int, int]) -> np.ndarray:
    mask = np.zeros((SIDE, SIDE), np.uint8)
    for top, left, bottom, right in boxes:
        mask[top:bottom, left:right] = 255
    return mask


def groups(mask: np.ndarray, ground: tuple[int, int, int] = (20, 20, 20)) -> tuple[str, ...]:
    return subgroups.of(picture(mask, (230, 200, 40), ground), mask)


def test_a_large_subject_in_the_middle_is_plain() -> None:
    assert groups(box((20, 20, 80, 80))) == (subgroups.PLAIN,)


def test_small_subjects_those_at_the_border_and_several_are_told_apart() -> None:
    assert groups(box((40, 40, 55, 55))) == (subgroups.SMALL,)
    assert groups(box((30, 0, 90, 60))) == (subgroups.BORDER,)
    assert groups(box((20, 10, 80, 40), (20, 60, 80, 90))) == (subgroups.SEVERAL,)


def test_crumbs_beside_a_subject_do_not_make_it_several() -> None:
    assert groups(box((20, 20, 80, 80), (90, 90, 93, 93))) == (subgroups.PLAIN,)


def test_low_contrast_is_a_matter_of_colour() -> None:
    assert groups(box((20, 20, 80, 80)), ground=(225, 195, 50)) == (subgroups.LOW_CONTRAST,)
    assert groups(box((20, 20, 80, 80)), ground=(60, 160, 230)) == (subgroups.PLAIN,)
