"""Which pictures are kept to check on: the same for the same pictures, and none that resembles one trained on."""

from __future__ import annotations

import hashlib
import os
from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from alphacut_core.errors import EngineSourceError
from alphacut_training.store import Store

_MOST_OF_SHARE = 1.5
"""What a group may fill the share to, so that a long video does not take most pictures away from training."""
_HASH_SIDE = 8
_ALIKE_BITS = 6
"""Difference hashes of 64 bits that differ in no more bits come from one scene: frames of a video, crops, copies."""


def split(store: Store, share: float, seed: int) -> tuple[list[int], list[int]]:
    """Part the pictures without leakage.

    Near-duplicates, found by difference hashing (Krawetz 2013), go to one side together. A group's side depends
    on its names and the seed, so adding pictures moves none of the others; only that a group of several, as a video's
    frames, is not kept for checking where it makes that half as many again as were asked for, or more.

    Args:
        store: All pictures.
        share: Of the pictures to keep for checking, 0 to 1.
        seed: Another seed, another split.

    Returns:
        Indices to train on and to check on, both in order; neither is empty.

    Raises:
        EngineSourceError: All pictures are one group.
    """
    groups = [(_draw(min(store.names[index] for index in group), seed), group) for group in near_duplicates(store)]
    if len(groups) < 2:
        raise EngineSourceError(
            f"all {len(store)} pictures look like one scene, of which none can be kept to check on what the others "
            "taught; add pictures of other scenes"
        )
    most = _MOST_OF_SHARE * share * len(store)
    chosen: list[list[int]] = []
    for draw, group in sorted(groups):
        if draw < share and (len(group) == 1 or sum(map(len, chosen)) + len(group) <= most):
            chosen.append(group)
    drawn = [group for _, group in sorted(groups)]
    if not chosen:
        chosen = [next((group for group in drawn if len(group) <= most), min(drawn, key=len))]
    if len(chosen) == len(drawn):
        chosen = drawn[:-1]
    checked = {index for group in chosen for index in group}
    return [index for index in range(len(store)) if index not in checked], sorted(checked)


def near_duplicates(store: Store) -> list[list[int]]:
    """Group the pictures that show the same scene; most groups hold one."""
    hashes = difference_hashes(store)
    parent = list(range(len(store)))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    for index in range(len(store)):
        differing = np.bitwise_count(hashes[index + 1 :] ^ hashes[index])
        for other in np.flatnonzero(differing <= _ALIKE_BITS) + index + 1:
            parent[root(int(other))] = root(index)
    groups: dict[int, list[int]] = defaultdict(list)
    for index in range(len(store)):
        groups[root(index)].append(index)
    return list(groups.values())


def difference_hashes(store: Store) -> NDArray[np.uint64]:
    """Return 64 bits for each picture: whether brightness rises from one of 8x9 areas to its right neighbour."""
    side = store.images.shape[1]
    rows = np.linspace(0, side, _HASH_SIDE + 1).astype(int)[:-1]
    columns = np.linspace(0, side, _HASH_SIDE + 2).astype(int)[:-1]
    hashes = np.zeros(len(store), np.uint64)
    for index, image in enumerate(store.images):
        grey = image.astype(np.float32).mean(2)
        areas = np.add.reduceat(np.add.reduceat(grey, rows, 0), columns, 1)
        areas /= np.diff(np.append(rows, side))[:, None] * np.diff(np.append(columns, side))[None, :]
        bits = np.packbits(areas[:, 1:] > areas[:, :-1])
        hashes[index] = int.from_bytes(bits.tobytes(), "big")
    return hashes


def _draw(name: str, seed: int) -> float:
    digest = hashlib.sha256(os.fsencode(f"{seed}:{name}")).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
