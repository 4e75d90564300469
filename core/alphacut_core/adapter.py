"""What the Python models in Triton share: settings from ``config.pbtxt``, tensors of requests, the lifeline.

Triton's ``triton_python_backend_utils`` exists only inside its stub process, so it comes in as an argument.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from alphacut_core.contract import check_version
from alphacut_core.errors import InvalidOptionError
from alphacut_core.limits import Limits

LIFELINE_VARIABLE = "ALPHACUT_LIFELINE_FD"
"""Names the file descriptor whose end of file means that nobody supervises this process any more."""


@dataclass(frozen=True, slots=True)
class Settings:
    """One model's name, version, share of its ``config.pbtxt``, and where its files lie."""

    model: str
    version: str
    folder: str
    parameters: Mapping[str, str]

    @property
    def limits(self) -> Limits:
        """Bounds on incoming images."""
        return Limits(int(self.parameters["max_bytes"]), int(self.parameters["max_pixels"]))


def start(args: Mapping[str, str]) -> Settings:
    """Check a model's configuration and tie the stub process to its supervisor.

    Args:
        args: What Triton hands to ``TritonPythonModel.initialize``.

    Raises:
        ContractError: The configuration is of another contract version.
    """
    config = json.loads(args["model_config"])
    check_version(config["name"], config.get("parameters", {}))
    _hold_lifeline()
    folder = os.path.join(args["model_repository"], args["model_version"])
    parameters = {name: value["string_value"] for name, value in config["parameters"].items()}
    return Settings(config["name"], args["model_version"], folder, parameters)


def array(pb_utils: Any, request: Any, name: str) -> np.ndarray:
    """Return the tensor ``name`` of a request that carries exactly one image, without the batch axis."""
    values: np.ndarray = pb_utils.get_input_tensor_by_name(request, name).as_numpy()
    if len(values) != 1:
        raise InvalidOptionError(
            f"got {len(values)} images in one request; send one image a request, the server forms the batches"
        )
    image: np.ndarray = values[0]
    return image


def _hold_lifeline() -> None:
    """End this process when its supervisor is gone, however it went.

    Triton's stubs outlive a server that was killed. The supervisor holds the other end of a pipe; the kernel
    closes it even after SIGKILL.
    """
    descriptor = os.environ.get(LIFELINE_VARIABLE)
    if descriptor is None:
        return

    def wait() -> None:
        os.read(int(descriptor), 1)
        os._exit(1)

    threading.Thread(target=wait, name="lifeline", daemon=True).start()
