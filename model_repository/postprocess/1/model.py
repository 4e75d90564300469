"""Triton adapter: an image file and its mask in, the encoded picture that was asked for out."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils

from alphacut_core import adapter, steps
from alphacut_core.contract import ANY_MASK, ENCODED, OPTIONS, RENDERED
from alphacut_core.options import Options

_THREADS = 8  # as many as a batch holds


class TritonPythonModel:
    """Renders and encodes the images of a batch side by side."""

    def initialize(self, args: dict[str, str]) -> None:
        """Read the configuration."""
        settings = adapter.start(args)
        self.limits = settings.limits
        self.pool = ThreadPoolExecutor(_THREADS)

    def execute(self, requests: list[Any]) -> list[Any]:
        """Answer N requests with N responses in the same order."""
        return adapter.respond(pb_utils, requests, self._handle, self.pool)

    def _handle(self, request: Any) -> list[Any]:
        encoded = adapter.array(pb_utils, request, ENCODED.name).tobytes()
        options = Options.from_wire(adapter.array(pb_utils, request, OPTIONS.name).tobytes())
        mask = adapter.array(pb_utils, request, ANY_MASK.name)  # (S, S)
        rendered = steps.postprocess(encoded, options, mask, self.limits)
        return [pb_utils.Tensor(RENDERED.name, np.frombuffer(rendered, np.uint8)[None])]  # (1, n)

    def finalize(self) -> None:
        """Let running encodes end."""
        self.pool.shutdown()
