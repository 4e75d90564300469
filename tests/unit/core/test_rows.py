"""An engine's rows, with a stand-in for Triton's module."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack

import numpy as np
import pytest

from alphacut_core.adapter import Settings
from alphacut_core.contract import CONFIDENCE, image_spec, mask_spec
from alphacut_core.errors import AlphacutError, EngineError, OverloadedError
from alphacut_core.rows import Rows
from tests.unit.core.triton import Metric, Request, Triton

SIZE = 2
Infer = Callable[[np.ndarray, bool], Mapping[str, np.ndarray]]


@pytest.fixture
def make_rows() -> Iterator[Callable[[Triton, Infer], Rows]]:
    with ExitStack() as stack:

        def make(triton: Triton, infer: Infer) -> Rows:
            outputs = {mask_spec(SIZE): np.uint8, CONFIDENCE: np.float32}
            rows = Rows(triton, Settings("u2netp", "7", "/models", {}), image_spec(SIZE), outputs, infer)
            stack.callback(rows.close)
            return rows

        yield make


def request(*values: int, **parameters: object) -> Request:
    images = np.stack([np.full((SIZE, SIZE, 3), value, np.uint8) for value in values])
    return Request({"IMAGE": images}, **parameters)


def red(image: np.ndarray, alone: bool) -> dict[str, np.ndarray]:
    assert image.shape == (1, SIZE, SIZE, 3)
    return {"MASK": image[..., 0], "CONFIDENCE": np.array([[image[0, 0, 0, 0] / 255]], np.float32)}


def test_every_row_is_answered_in_its_place(make_rows) -> None:
    rows = make_rows(Triton(), red)
    rows.grow(3)
    asked = [request(1, 2, 3), request(4)]
    rows.take(asked)
    masks, confidences = asked[0].wait().tensors
    assert (masks.name, confidences.name) == ("MASK", "CONFIDENCE")
    assert masks.values[:, 0, 0].tolist() == [1, 2, 3]
    assert masks.values.dtype == np.uint8
    assert confidences.values == pytest.approx(np.array([[1], [2], [3]]) / 255)
    assert asked[1].wait().tensors[0].values.shape == (1, SIZE, SIZE)


def test_a_request_is_answered_when_its_last_row_is_done_and_not_before(make_rows) -> None:
    slow, quick = threading.Event(), request(9)

    def infer(image: np.ndarray, alone: bool) -> dict[str, np.ndarray]:
        if image[0, 0, 0, 0] == 2:
            assert slow.wait(30)
        return red(image, alone)

    rows, several = make_rows(Triton(), infer), request(1, 2, 3)
    rows.grow(2)
    rows.take([several, quick])
    quick.wait()
    assert not several.answered.is_set()
    slow.set()
    assert several.wait().tensors[0].values[:, 0, 0].tolist() == [1, 2, 3]


def test_rows_that_come_together_are_not_alone_and_one_is(make_rows) -> None:
    alone: dict[int, bool] = {}

    def infer(image: np.ndarray, is_alone: bool) -> dict[str, np.ndarray]:
        alone[int(image[0, 0, 0, 0])] = is_alone
        return red(image, is_alone)

    rows = make_rows(Triton(), infer)
    rows.take([single := request(1)])
    single.wait()
    rows.take([several := request(2, 3)])
    several.wait()
    assert alone[1]
    assert not alone[2]


def test_a_row_that_fails_fails_its_request_once_and_no_other(make_rows) -> None:
    def infer(image: np.ndarray, alone: bool) -> dict[str, np.ndarray]:
        if image[0, 0, 0, 0] in (2, 3):
            raise EngineError("the engine is out of order")
        return red(image, alone)

    rows = make_rows(Triton(), infer)
    bad, good = request(1, 2, 3), request(4)
    rows.take([bad, good])
    assert isinstance(AlphacutError.from_wire(str(bad.wait().error)), EngineError)
    assert good.wait().tensors[0].values[0, 0, 0] == 4


def test_a_request_that_waited_for_too_long_is_refused_without_work(make_rows) -> None:
    begun, go = threading.Event(), threading.Event()
    seen: list[int] = []

    def infer(image: np.ndarray, alone: bool) -> dict[str, np.ndarray]:
        seen.append(int(image[0, 0, 0, 0]))
        begun.set()
        assert go.wait(30)
        return red(image, alone)

    rows = make_rows(Triton(), infer)
    first, late = request(1), request(2, 3, wait_us=1)
    rows.take([first])
    assert begun.wait(30)
    rows.take([late])
    go.set()
    assert isinstance(AlphacutError.from_wire(str(late.wait().error)), OverloadedError)
    first.wait()
    assert seen == [1]


def test_rows_side_by_side_count_one_after_the_other(make_rows) -> None:
    triton = Triton()
    rows = make_rows(triton, red)
    rows.grow(4)
    asked = [request(*range(8)) for _ in range(20)]
    rows.take(asked)
    for one in asked:
        one.wait()
    rows.close()
    assert triton.metrics["alphacut_work_us" + json.dumps({"model": "u2netp", "version": "7"})] > 0
    assert not triton.held


def test_images_are_answered_though_they_cannot_be_counted(make_rows, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(metric: object, value: float) -> None:
        raise RuntimeError("no memory for a message")

    triton = Triton()
    monkeypatch.setattr(Metric, "increment", fail)
    rows, asked = make_rows(triton, red), [request(1), request(2)]
    rows.take(asked)
    assert [one.wait().error for one in asked] == [None, None]
    rows.close()
    assert triton.log == ["an image is not counted on the page of metrics: no memory for a message"] * 9
