from __future__ import annotations

import gc
import os
import resource
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from alphacut_core.errors import EngineBuildError
from alphacut_core.folder_lock import alone, beside_others
from alphacut_training import copies, pairs, store

from .conftest import disc, write_discs


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


def place_of(kept: store.Store) -> Path:
    return Path(kept.images.filename).parent  # type: ignore[attr-defined]  # they are mapped


def is_whole(place: Path) -> bool:
    return {path.name for path in place.iterdir()} == {"images.u8", "masks.u8", "index.json"}


@pytest.fixture
def room_for_two(monkeypatch: pytest.MonkeyPatch) -> None:
    """Copies of two pairs each."""
    monkeypatch.setattr(copies, "MAX_BYTES", 5 * store.SIDE**2 * 4)


@pytest.fixture
def pictures(tmp_path: Path) -> list[list[pairs.Pair]]:
    """Three data sets of two pairs."""
    return [pairs.find(write_discs(tmp_path / f"set{i}", 2, first=2 * i))[0] for i in range(3)]


@pytest.mark.usefixtures("room_for_two")
def test_what_was_used_longest_ago_makes_room(pictures: list[list[pairs.Pair]]) -> None:
    first, second = (place_of(store.build(found)[0]) for found in pictures[:2])
    for place in (first, second):
        os.utime(place / "index.json", (1e9, 1e9))
    store.build(pictures[0])  # used again
    third = place_of(store.build(pictures[2])[0])
    assert [is_whole(place) for place in (first, second, third)] == [True, False, True]
    assert not list(second.iterdir())
    assert len(store.build(pictures[1])[0]) == 2


@pytest.mark.usefixtures("room_for_two")
def test_what_a_run_uses_stays_for_as_long_as_it_does(pictures: list[list[pairs.Pair]]) -> None:
    used, _ = store.build(pictures[0])
    place = place_of(used)
    os.utime(place / "index.json", (1e9, 1e9))
    store.build(pictures[1])
    store.build(pictures[2])
    assert is_whole(place)
    masks = used.masks
    del used
    store.build(pictures[1])
    store.build(pictures[2])
    assert is_whole(place), "its masks are used still"
    del masks
    gc.collect()
    os.utime(place / "index.json", (1e9, 1e9))
    copies._make_room(place.parent, 2 * store.SIDE**2 * 4)
    assert not is_whole(place)


def test_what_a_killed_run_left_half_made_is_removed_by_the_next(pictures: list[list[pairs.Pair]], home: Path) -> None:
    half = home / "training" / "0123456789abcdef01234567"
    half.mkdir(parents=True)
    (half / "images.u8").write_bytes(b"half")
    store.build(pictures[0])
    assert not list(half.iterdir())


def test_what_another_run_removed_just_before_it_was_taken_up_is_decoded_again(
    pictures: list[list[pairs.Pair]], monkeypatch: pytest.MonkeyPatch
) -> None:
    place = place_of(store.build(pictures[0])[0])
    remaining = [place]

    def late(folder: Path) -> AbstractContextManager[int]:
        if remaining:
            copies._empty(remaining.pop())
        return beside_others(folder)

    monkeypatch.setattr(copies, "beside_others", late)
    assert len(store.build(pictures[0])[0]) == 2
    assert is_whole(place)


def test_backgrounds_are_decoded_once_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "backgrounds"
    folder.mkdir()
    for name, color in (("door.png", (90, 80, 70)), ("wall.png", (10, 20, 30))):
        Image.new("RGB", (50, 40), color).save(folder / name)
    (folder / "broken.png").write_bytes(b"broken")
    first, findings = store.backgrounds(pairs.pictures(folder))
    assert [finding.name for finding in findings] == ["backgrounds/broken.png"]
    assert first[:, 0, 0].tolist() == [[90, 80, 70], [10, 20, 30]]
    monkeypatch.setattr(pairs, "decoded", lambda _path: pytest.fail("decoded again"))
    second, again = store.backgrounds(pairs.pictures(folder))
    assert np.array_equal(first, second)
    assert again == findings
    assert len(store.backgrounds([])[0]) == 0


def test_pictures_and_masks_stay_together(discs: Callable[[int], Path]) -> None:
    kept, _ = store.build(pairs.find(discs(3))[0])
    assert kept.sizes == ((96, 96),) * 3
    for number in range(3):
        truth = np.asarray(disc(number)[1].resize((store.SIDE, store.SIDE), Image.Resampling.BOX))
        assert np.array_equal(kept.masks[number], truth)
        assert kept.images[number][truth > 250].mean() > kept.images[number][truth < 5].mean() + 60
