"""The stage whose own limit is nearest to what was seen is named, with the arithmetic."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from alphacut_engines import configs


def run(images_per_s: float, gpu_use: float | None, **processor_ms: float) -> dict[str, Any]:
    return {
        **{"images_per_s": images_per_s, "gpu_use": gpu_use, "processor_ms": processor_ms},
        **{"latency_ms": {"p50": 20.0, "p95": 30.0}, "good": 1.0},
    }


FOUND: dict[str, Any] = {
    "torch_compiled": {
        "batches": {"8": {"images_per_s": 2500.0, "time_ms": 3.0}, "16": {"images_per_s": 3000.0, "time_ms": 5.0}}
        | {"32": {"images_per_s": 4000.0, "time_ms": 8.0}},
        "parity": {"passed": True, "mean_difference": 0.1, "mean_iou": 1.0},
    },
    "decoding": {
        "pictures": "JPEG of 1920x1280",
        "cores": 16,
        "ways": {
            "Pillow, exact, 1 threads": {"images_per_s": 50.0},
            "Pillow, exact, 16 threads": {"images_per_s": 500.0},
            "nvImageCodec": {"not_run": "no library"},
            "DALI": {"images_per_s": 6000.0},
        },
    },
    "around": {
        "callers": 64,
        "ways": {"files": run(900.0, None, decode=12.0), "squares of pixels": run(4500.0, None, senders=1.0)},
    },
    "serving": {
        **{"runtime": "PyTorch, compiled, behind the Python backend", "network": "u2net", "precision": "fp16"},
        **{"on_gpu": True, "cores": 16, "one_caller": run(90.0, 0.1)},
        "callers": {
            "8": run(400.0, 0.2, decode=12.0),
            "32": run(800.0, 0.32, decode=12.0, triton=1.0, senders=2.0),
        },
        "settings": {
            "squares of pixels": run(1500.0, 0.8, engine=0.5, senders=1.5),
            "2 engines": {"refused": "out of memory"},
        },
    },
}
"""A GPU that waits for its processors: full U²-Net by PyTorch, compiled, on 16 of them."""


def test_processors_that_decode_are_named_before_a_gpu_that_waits() -> None:
    from alphacut_gpu import bottleneck

    files, squares = bottleneck.find(FOUND)
    assert (files.way, files.seen_per_s) == ("files", 800.0)
    allowed = {one.stage: one.images_per_s for one in files.limits}
    assert allowed == {
        "the engine": 3000.0,  # in Triton's batches, not at 32
        "the GPU": pytest.approx(2500),
        "the processors": pytest.approx(16e3 / 15),
        "the way around the engine": 900.0,
        "decoding": pytest.approx(10 * 1e3 / 12),  # ten times what one thread does, though there are 16
    }
    assert [one.stage for one in files.limits][:2] == ["decoding", "the way around the engine"]
    assert files.sentence == (
        "800 images/s of files by 32 callers: the bottleneck is decoding (10.0 times one processor's, as by 16 "
        "threads, / 12.00 ms an image = 833 images/s, 96% reached); further away: the way around the "
        "engine 900, the processors 1,067, the GPU 2,500, the engine 3,000."
    )
    assert (squares.way, squares.limits[0].stage) == ("squares of pixels", "the GPU")
    assert "1,500 / 80% of the time in use = 1,875 images/s, 80% reached" in squares.sentence


def test_where_no_stage_is_used_up_waiting_is_named() -> None:
    from alphacut_gpu import bottleneck

    idle = copy.deepcopy(FOUND)
    idle["serving"]["callers"] = {"8": run(300.0, 0.1, decode=12.0)}
    assert (
        "no stage is used up, so waiting between them is; the nearest is decoding" in bottleneck.find(idle)[0].sentence
    )


def test_what_was_not_found_is_no_limit() -> None:
    from alphacut_gpu import bottleneck

    bare = {"serving": {"on_gpu": True, "runtime": "TensorRT-RTX", "callers": {"8": run(300.0, None)}}}
    (only,) = bottleneck.find(bare)
    assert (only.limits, only.sentence) == (
        (),
        "300 images/s of files by 8 callers: nothing is known of any stage alone.",
    )
    on_processor = {"serving": FOUND["serving"] | {"on_gpu": False}}
    assert bottleneck.find(on_processor) == bottleneck.find({}) == []
    silent = {"serving": FOUND["serving"] | {"callers": {"8": run(0.0, 0.0)}, "settings": {}}}
    assert bottleneck.find(silent) == []


@pytest.mark.parametrize("runtime", ["PyTorch, CUDA graphs", "TensorRT-RTX"])
def test_the_engine_is_the_one_that_was_served(runtime: str) -> None:
    from alphacut_gpu import bottleneck

    of = copy.deepcopy(FOUND)
    of["serving"]["runtime"] = runtime
    batches = {"16": {"images_per_s": 700.0}, "64": {"images_per_s": 9000.0}}
    of["torch_yardstick"] = {"networks": {"u2net": {"batches": batches if "PyTorch" in runtime else {}}}}
    wrong = {"network": "u2netp", "precision": "fp16", "batches": {"16": {"images_per_s": 8000.0}}}
    right = {"network": "u2net", "precision": "fp16", "batches": batches if "PyTorch" not in runtime else {}}
    of["tensorrt_rtx"] = {"engines": [wrong, right, {"network": "u2net", "precision": "fp16", "refused": "no"}]}
    assert bottleneck.engine_per_s(of) == 700.0


def test_batches_are_tritons() -> None:
    from alphacut_gpu import bottleneck

    assert bottleneck.ENGINE_BATCH == configs.ENGINE_BATCH


def test_the_gain_of_decoding_on_the_gpu_is_computed_between_two_bounds() -> None:
    from alphacut_gpu import moved_decoding

    gain = moved_decoding.compute(FOUND)
    assert not isinstance(gain, str)
    assert (gain.decoder, gain.least_per_s, gain.most_per_s) == ("DALI", pytest.approx(2000), 3000.0)
    assert gain.sentence.startswith("Computed, not measured: DALI")
    assert "1 / (1/6,000 + 1/3,000) = 2,000" in gain.sentence
    assert "So 2,000 to 3,000 images/s, 2.5 to 3.8 times the 800 seen with files." in gain.sentence
    bound = copy.deepcopy(FOUND)
    bound["around"]["ways"]["squares of pixels"]["images_per_s"] = 1200.0
    gain = moved_decoding.compute(bound)
    assert not isinstance(gain, str)
    assert (gain.least_per_s, gain.most_per_s) == (1200.0, 1200.0)


def test_a_gain_that_cannot_be_computed_says_what_is_missing() -> None:
    from alphacut_gpu import moved_decoding

    assert "neither nvImageCodec nor DALI decoded" in str(moved_decoding.compute({}))
    lacking = {name: one for name, one in FOUND.items() if name != "around"}
    assert moved_decoding.compute(lacking) == "not computed: not measured here: the way around it with squares"
