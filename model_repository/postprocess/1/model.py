"""Triton adapter: an image file and its mask in, the encoded picture that was asked for out."""

from __future__ import annotations

from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils

from alphacut_core import adapter, processors, steps
from alphacut_core.contract import ANY_MASK, ENCODED, OPTIONS, RENDERED
from alphacut_core.desk import Desk
from alphacut_core.options import Options


class TritonPythonModel:
    """Renders and encodes the images of a batch side by side."""

    def initialize(self, args: dict[str, str]) -> None:
        """Read the configuration."""
        settings = adapter.start(args)
        self.limits = settings.limits
        self.desk = Desk(pb_utils, settings, self._handle, processors.count())

    def execute(self, requests: list[Any]) -> None:
        """Begin with N requests; each is answered when it is done, while the next batch begins."""
        self.desk.take(requests)

    def _handle(self, request: Any) -> list[Any]:
        encoded = adapter.array(pb_utils, request, ENCODED.name).tobytes()
        options = Options.from_wire(adapter.array(pb_utils, request, OPTIONS.name).tobytes())
        mask = adapter.array(pb_utils, request, ANY_MASK.name)  # (S, S)
        rendered = steps.postprocess(encoded, options, mask, self.limits)
        return [pb_utils.Tensor(RENDERED.name, np.frombuffer(rendered, np.uint8)[None])]  # (1, n)

    def finalize(self) -> None:
        """Let running encodes end."""
        self.desk.close()
