"""Triton adapter: an image file in, the engine's input out."""

from __future__ import annotations

from typing import Any

import triton_python_backend_utils as pb_utils

from alphacut_core import adapter, processors, steps
from alphacut_core.contract import ENCODED, OPTIONS, image_spec
from alphacut_core.desk import Desk
from alphacut_core.options import Options


class TritonPythonModel:
    """Decodes and resizes the images of a batch side by side."""

    def initialize(self, args: dict[str, str]) -> None:
        """Read the configuration."""
        settings = adapter.start(args)
        self.limits = settings.limits
        self.image = image_spec(int(settings.parameters["size"]))
        self.desk = Desk(pb_utils, settings, self._handle, processors.count())

    def execute(self, requests: list[Any]) -> None:
        """Begin with N requests; each is answered when it is done, while the next batch begins."""
        self.desk.take(requests)

    def _handle(self, request: Any) -> list[Any]:
        encoded = adapter.array(pb_utils, request, ENCODED.name).tobytes()
        options = Options.from_wire(adapter.array(pb_utils, request, OPTIONS.name).tobytes())
        image = steps.preprocess(encoded, options, self.image.dims[0], self.limits)
        return [pb_utils.Tensor(self.image.name, image[None])]  # (1, S, S, 3)

    def finalize(self) -> None:
        """Let running decodes end."""
        self.desk.close()
