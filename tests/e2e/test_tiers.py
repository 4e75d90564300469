"""Every tier that is built is served: masks of its own size from one postprocessing step, and facts for clients."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from tritonclient.grpc import InferenceServerClient, InferInput, InferRequestedOutput

from alphacut_core import agreement, codec, geometry, installed, render, tiers
from alphacut_core.options import Options
from alphacut_core.tiers import MODES, Mode

pytestmark = pytest.mark.triton


@pytest.fixture(scope="module")
def triton(server_url: str, repository: Path) -> Iterator[InferenceServerClient]:
    missing = [mode for mode in MODES if installed.find(repository, tiers.pipeline(mode=mode).engine) is None]
    if missing:
        pytest.fail(f"the tiers {', '.join(missing)} are not built; run: alphacut build --tier all")
    client = InferenceServerClient(server_url)
    yield client
    client.close()


def ask(triton: InferenceServerClient, mode: Mode, photo: bytes) -> tuple[np.ndarray, bytes]:
    """Return a tier's mask and rendering of a photograph."""
    inputs = []
    for name, data in (("ENCODED", photo), ("OPTIONS", b"{}")):
        values = np.frombuffer(data, np.uint8)[None]
        inputs.append(InferInput(name, list(values.shape), "UINT8"))
        inputs[-1].set_data_from_numpy(values)
    outputs = [InferRequestedOutput(name) for name in ("MASK", "CONFIDENCE", "RENDERED")]
    answer = triton.infer(tiers.pipeline(mode=mode).ensemble, inputs, outputs=outputs, client_timeout=120)
    return answer.as_numpy("MASK")[0], answer.as_numpy("RENDERED").tobytes()


def facts(triton: InferenceServerClient, model: str) -> dict[str, str]:
    stated = triton.get_model_config(model).config.parameters
    return {name: stated[name].string_value for name in stated}


def test_each_tier_answers_with_its_own_size_and_all_share_a_batch(
    triton: InferenceServerClient, samples: dict[str, bytes]
) -> None:
    asked = [(mode, photo) for mode in MODES for photo in (samples["cat"], samples["dahlia"])]
    with ThreadPoolExecutor(len(asked)) as pool:
        answers = list(pool.map(lambda one: ask(triton, *one), asked))
    for (mode, photo), (mask, rendered) in zip(asked, answers, strict=True):
        assert mask.shape == (tiers.size_of(mode), tiers.size_of(mode))
        options = Options()
        assert rendered == render.encode(render.render(codec.decode(photo), mask, options), options)


def test_a_smaller_tier_sees_the_same_subject(triton: InferenceServerClient, samples: dict[str, bytes]) -> None:
    full, _ = ask(triton, "full", samples["dahlia"])
    for mode in ("medium", "lite"):
        mask, _ = ask(triton, mode, samples["dahlia"])
        enlarged = np.asarray(geometry.to_picture(mask, *full.shape))
        assert agreement.iou(enlarged, full) > 0.5


@pytest.mark.parametrize("mode", MODES)
def test_what_a_tier_is_and_loses_is_told_over_the_wire(triton: InferenceServerClient, mode: Mode) -> None:
    names = tiers.pipeline(mode=mode)
    ensemble = facts(triton, names.ensemble)
    assert (ensemble["model"], ensemble["tier"], ensemble["size"]) == ("u2netp", mode, str(names.size))
    engine = facts(triton, ensemble["engine"])
    assert engine["network"] == "alphacut-u2netp"
    assert engine["licence"] == "Apache-2.0"
    assert len(engine["engine_sha256"]) == 64
    assert float(engine["time_ms"]) > 0
    if mode != "full":
        bounds = agreement.TIER_BOUNDS[mode]
        assert bounds.hold(float(engine["mean_difference"]), float(engine["mean_iou"]))
        assert engine["pictures"] == "300"


def test_a_smaller_tier_declares_a_larger_loss() -> None:
    medium, lite = agreement.TIER_BOUNDS["medium"], agreement.TIER_BOUNDS["lite"]
    assert medium.mean_difference < lite.mean_difference
    assert medium.mean_iou > lite.mean_iou
