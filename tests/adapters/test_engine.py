"""The adapter of the engine on a CPU, with the engine that is built."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alphacut_core import installed, processors
from alphacut_core.tiers import DEFAULT_MODEL


@pytest.fixture
def engine(load: Callable[..., Any], repository: Path) -> Callable[[], Any]:
    found = installed.find(repository, DEFAULT_MODEL)
    assert found is not None
    return lambda: load(DEFAULT_MODEL, found.folder.name, "configs/cpu.pbtxt")


def threads(lanes: Any) -> int:
    lane = lanes.get()
    lanes.put(lane)
    return int(lane.get_compiled_model().get_property("INFERENCE_NUM_THREADS"))


def test_it_keeps_to_a_quota_of_processors_however_many_it_sees(
    engine: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processors, "quota", lambda: 1)
    adapter = engine()
    adapter.compiling.join()
    assert threads(adapter.alone) == threads(adapter.abreast) == adapter.abreast.qsize() == 1
    adapter.finalize()


def test_it_answers_each_image_of_a_batch(engine: Callable[[], Any], ask: Callable[..., Any], repository: Path) -> None:
    adapter = engine()
    adapter.compiling.join()  # so that all of them go the same way
    found = installed.find(repository, DEFAULT_MODEL)
    assert found is not None
    size = int(found.manifest["size"])
    images = np.random.default_rng(0).integers(0, 256, (3, size, size, 3), np.uint8)
    (batch,) = ask(adapter, {"IMAGE": images})
    singles = ask(adapter, *({"IMAGE": image[None]} for image in images))
    adapter.finalize()
    masks, confidences = (tensor.as_numpy() for tensor in batch.output_tensors())
    assert masks.shape == (3, size, size)
    for row, single in enumerate(singles):
        mask, confidence = (tensor.as_numpy() for tensor in single.output_tensors())
        assert np.array_equal(mask[0], masks[row])
        assert confidence[0, 0] == confidences[row, 0]
