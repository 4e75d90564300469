from __future__ import annotations

import pytest

from alphacut_core.contract import DEFAULT_PIPELINE
from alphacut_core.errors import InvalidOptionError
from alphacut_core.tiers import MODES, pipeline, size_of


def test_the_default_network_at_its_full_tier_is_the_default_pipeline() -> None:
    assert pipeline() == DEFAULT_PIPELINE


def test_tiers_of_a_320_network_are_320_256_and_160() -> None:
    assert [size_of(mode) for mode in MODES] == [320, 256, 160]


@pytest.mark.parametrize("native_size", [320, 512, 1024])
def test_lower_tiers_are_smaller_and_fit_five_poolings(native_size: int) -> None:
    sizes = [size_of(mode, native_size) for mode in MODES]
    assert sizes == sorted(set(sizes), reverse=True)
    assert all(size % 32 == 0 for size in sizes)


def test_no_two_networks_or_tiers_share_an_ensemble_or_an_engine() -> None:
    all_of_them = [pipeline(model, mode) for model in ("u2netp", "u2net", "silueta") for mode in MODES]
    assert len({one.ensemble for one in all_of_them}) == len(all_of_them)
    assert len({one.engine for one in all_of_them}) == len(all_of_them)


def test_networks_of_one_size_share_their_preprocessing() -> None:
    assert pipeline("u2net").preprocess == pipeline().preprocess
    assert pipeline("isnet-general-use", native_size=1024).preprocess == "preprocess_1024"


def test_an_unknown_tier_is_refused_with_those_there_are() -> None:
    with pytest.raises(InvalidOptionError, match="'full', 'medium', 'lite'"):
        pipeline(mode="tiny")  # type: ignore[arg-type]
