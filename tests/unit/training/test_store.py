from __future__ import annotations

import os
import resource
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from alphacut_core.errors import EngineBuildError
from alphacut_core.folder_lock import alone
from alphacut_training import pairs, store

from .conftest import disc


def test_pictures_are_decoded_once(discs: Callable[[int], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    found, _ = pairs.find(discs(4))
    first, _ = store.build(found)
    monkeypatch.setattr(pairs, "read", lambda _pair: pytest.fail("decoded again"))
    second, _ = store.build(found)
    assert np.array_equal(first.images, second.images)
    assert second.names == ("disc000", "disc001", "disc002", "disc003")


def test_a_changed_mask_is_decoded_anew(discs: Callable[[int], Path]) -> None:
    folder = discs(2)
    before, _ = store.build(pairs.find(folder)[0])
    Image.new("L", (96, 96), 255).save(folder / "masks" / "disc001.png")
    os.utime(folder / "masks" / "disc001.png", ns=(1, 1))
    after, _ = store.build(pairs.find(folder)[0])
    assert before.masks[1].min() == 0
    assert after.masks[1].min() == 255


def test_what_was_decoded_in_another_way_is_decoded_anew(
    discs: Callable[[int], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    found, _ = pairs.find(discs(1))
    with monkeypatch.context() as before:
        before.setattr(store, "_READING", store._READING - 1)
        store.build(found)
    monkeypatch.setattr(pairs, "read", lambda _pair: (Image.new("RGB", (9, 9)), Image.new("L", (9, 9), 255)))
    assert store.build(found)[0].masks.min() == 255


def test_a_store_that_was_cut_short_is_made_again(discs: Callable[[int], Path], home: Path) -> None:
    found, _ = pairs.find(discs(2))
    store.build(found)
    (place,) = (home / "training").iterdir()
    (place / "index.json").unlink()
    (place / "images.u8").write_bytes(b"half")
    again, _ = store.build(found)
    assert again.images.shape == (2, store.SIDE, store.SIDE, 3)


def test_a_run_waits_for_what_another_is_decoding(
    discs: Callable[[int], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, _ = pairs.find(discs(4))
    first, _ = store.build(found, tmp_path / "first")
    (whole,) = (tmp_path / "first").iterdir()
    place = tmp_path / "second" / whole.name
    place.mkdir(parents=True)
    monkeypatch.setattr(pairs, "read", lambda _pair: pytest.fail("decoded again"))
    with ThreadPoolExecutor(1) as runs:
        with alone(place):
            waiting = runs.submit(store.build, found, tmp_path / "second")
            for name in ("images.u8", "masks.u8", "index.json"):
                shutil.copyfile(whole / name, place / name)
        assert np.array_equal(waiting.result()[0].images, first.images)


def test_a_full_disk_is_named_and_what_filled_it_is_removed(discs: Callable[[int], Path], home: Path) -> None:
    found, _ = pairs.find(discs(4))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (store.SIDE**2 * 7, limits[1]))  # room for two of the pictures
    try:
        with pytest.raises(EngineBuildError, match=r"cannot keep decoded pictures in .*ALPHACUT_HOME"):
            store.build(found)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    (place,) = (home / "training").iterdir()
    assert not list(place.iterdir())


def test_pictures_and_masks_stay_together(discs: Callable[[int], Path]) -> None:
    kept, _ = store.build(pairs.find(discs(3))[0])
    assert kept.sizes == ((96, 96),) * 3
    for number in range(3):
        truth = np.asarray(disc(number)[1].resize((store.SIDE, store.SIDE), Image.Resampling.BOX))
        assert np.array_equal(kept.masks[number], truth)
        assert kept.images[number][truth > 250].mean() > kept.images[number][truth < 5].mean() + 60
