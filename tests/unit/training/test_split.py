from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alphacut_core.errors import EngineSourceError
from alphacut_training.split import near_duplicates, split
from alphacut_training.store import Store

SIDE = 48


def scenes(count: int, seed: int = 0) -> Store:
    draw = np.random.default_rng(seed)
    blocks = draw.integers(0, 255, (count, 8, 8, 3))
    images = blocks.repeat(SIDE // 8, 1).repeat(SIDE // 8, 2).astype(np.uint8)
    names = tuple(f"scene{number:03}" for number in range(count))
    return Store(names, images, images[..., 0], ((SIDE, SIDE),) * count)


def with_frames(store: Store) -> Store:
    """Append a slightly brighter, noisier copy of every picture."""
    noise = np.random.default_rng(1).integers(0, 4, store.images.shape)
    frames = np.clip(store.images.astype(int) + 6 + noise, 0, 255).astype(np.uint8)
    images = np.concatenate((store.images, frames))
    names = (*store.names, *(f"{name}-frame2" for name in store.names))
    return replace(store, names=names, images=images, masks=images[..., 0], sizes=store.sizes * 2)


def test_frames_of_one_scene_are_never_on_both_sides() -> None:
    store = with_frames(scenes(40))
    trained, checked = split(store, 0.3, seed=0)
    assert trained
    assert checked
    assert {index % 40 for index in trained}.isdisjoint(index % 40 for index in checked)


def test_different_scenes_are_not_taken_for_duplicates() -> None:
    assert len(near_duplicates(scenes(40))) == 40
    assert len(near_duplicates(with_frames(scenes(40)))) == 40


def videos(*frames: int) -> Store:
    """Scenes with so many frames each, all alike."""
    numbers = [number for number, count in enumerate(frames) for _ in range(count)]
    kept = scenes(len(frames))
    names = tuple(f"{kept.names[number]}-{frame:03}" for frame, number in enumerate(numbers))
    images = kept.images[numbers]
    return Store(names, images, images[..., 0], ((SIDE, SIDE),) * len(names))


@pytest.mark.parametrize("seed", range(8))
def test_a_long_video_stays_with_those_to_train_on(seed: int) -> None:
    trained, checked = split(videos(100, 10, 10), 0.1, seed)
    assert (len(trained), len(checked)) == (110, 10)


@pytest.mark.parametrize("seed", range(4))
def test_where_every_scene_is_too_long_the_shortest_is_checked_on(seed: int) -> None:
    trained, checked = split(videos(40, 30, 50), 0.05, seed)
    assert (len(trained), len(checked)) == (90, 30)
    assert checked == list(range(40, 70))


def test_pictures_of_one_scene_are_refused() -> None:
    with pytest.raises(EngineSourceError, match=r"all 30 pictures look like one scene.*add pictures of other scenes"):
        split(videos(30), 0.1, seed=0)


def test_adding_pictures_moves_none_of_the_others() -> None:
    few, many = scenes(60), scenes(60)
    few = Store(few.names[:30], few.images[:30], few.masks[:30], few.sizes[:30])
    before, after = split(few, 0.3, seed=4), split(many, 0.3, seed=4)
    assert [index for index in after[1] if index < 30] == before[1]


@settings(max_examples=25)
@given(count=st.integers(2, 30), share=st.floats(0.01, 0.9), seed=st.integers(0, 2**16))
def test_every_picture_is_on_exactly_one_side_and_neither_is_empty(count: int, share: float, seed: int) -> None:
    trained, checked = split(scenes(count), share, seed)
    assert sorted([*trained, *checked]) == list(range(count))
    assert trained
    assert checked
