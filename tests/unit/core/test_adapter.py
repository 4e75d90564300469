"""What the Python models in Triton share, with a stand-in for Triton's module."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from alphacut_core import adapter
from alphacut_core.contract import CONTRACT_VERSION
from alphacut_core.errors import (
    ContractError,
    InvalidOptionError,
)
from alphacut_core.limits import Limits
from tests.unit.core.triton import Triton


def arguments(parameters: dict[str, str]) -> dict[str, str]:
    values = {name: {"string_value": value} for name, value in parameters.items()}
    config = {"name": "preprocess", "parameters": values}
    return {"model_config": json.dumps(config), "model_repository": "/models/preprocess", "model_version": "3"}


def test_settings_are_those_of_the_configuration() -> None:
    settings = adapter.start(
        arguments({"contract_version": CONTRACT_VERSION, "max_bytes": "10", "max_pixels": "20", "size": "320"})
    )
    assert settings.folder == "/models/preprocess/3"
    assert settings.limits == Limits(10, 20)
    assert settings.parameters["size"] == "320"


def test_a_model_of_another_contract_is_not_started() -> None:
    with pytest.raises(ContractError, match="model 'preprocess' is configured for contract version '0'"):
        adapter.start(arguments({"contract_version": "0"}))


def test_a_request_carries_one_image() -> None:
    request = {"IMAGE": np.zeros((1, 4, 4, 3), np.uint8), "TWO": np.zeros((2, 4), np.uint8)}
    assert adapter.array(Triton(), request, "IMAGE").shape == (4, 4, 3)
    with pytest.raises(InvalidOptionError, match="got 2 images in one request; send one"):
        adapter.array(Triton(), request, "TWO")


def test_a_stub_ends_when_its_supervisor_is_gone() -> None:
    program = (
        "import json, sys, threading\nfrom alphacut_core import adapter\n"
        f"adapter.start(json.loads({json.dumps(json.dumps(arguments({'contract_version': CONTRACT_VERSION})))}))\n"
        "print('started', flush=True)\nthreading.Event().wait(60)\n"
    )
    theirs, ours = os.pipe()
    with subprocess.Popen(
        [sys.executable, "-c", program],
        env={**os.environ, adapter.LIFELINE_VARIABLE: str(theirs)},
        pass_fds=[theirs],
        stdout=subprocess.PIPE,
    ) as stub:
        os.close(theirs)
        assert stub.stdout is not None
        assert stub.stdout.readline() == b"started\n"
        assert stub.poll() is None
        os.close(ours)
        assert stub.wait(30) == 1
