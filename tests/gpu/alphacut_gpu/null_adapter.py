"""Triton adapter for measurements only: an engine that takes no time and gives every picture the probe's mask."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils

from alphacut_core import adapter, probe
from alphacut_core.contract import CONFIDENCE, image_spec, mask_spec
from alphacut_core.replies import Replies


class TritonPythonModel:
    """Takes the pictures in and looks at none."""

    def initialize(self, args: dict[str, str]) -> None:
        """Load the one answer."""
        settings = adapter.start(args)
        self.size = int(settings.parameters["size"])
        self.replies = Replies(pb_utils, settings)
        self.mask = probe.load_answer(Path(settings.folder))

    def execute(self, requests: list[Any]) -> None:
        """Answer."""
        for request in requests:
            rows = len(pb_utils.get_input_tensor_by_name(request, image_spec(self.size).name).as_numpy())
            tensors: dict[str, np.ndarray] = {
                mask_spec(self.size).name: np.repeat(self.mask[None], rows, 0),
                CONFIDENCE.name: np.ones((rows, *CONFIDENCE.dims), np.float32),
            }
            self.replies.answer(request, tensors)

    def finalize(self) -> None:
        """Give back what is Triton's."""
        self.replies.close()
