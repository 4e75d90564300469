from __future__ import annotations

import importlib.util

import pytest


def test_the_training_package_can_be_tested() -> None:
    if importlib.util.find_spec("torch") is None:
        pytest.skip("PyTorch is not installed here; `make training test` installs it and tests the training package")
    from alphacut_training import network

    assert network.SMALL.name == "u2netp"
