"""One image's way: check, send, decode while the server works, composite, encode."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from PIL import Image

from alphacut_client import _kinds, _wire
from alphacut_client._connection import Calls
from alphacut_client.timings import Observer, timed
from alphacut_core import codec, geometry, render
from alphacut_core.contract import Pipeline
from alphacut_core.limits import Limits
from alphacut_core.options import Options

RenderOn = Literal["client", "server"]


@dataclass(frozen=True, slots=True)
class Work:
    """How this client treats every image; holds no state, so threads share it."""

    pipeline: Pipeline
    limits: Limits
    render_on: RenderOn
    observer: Observer | None

    def answer(self, image: object, options: Options, calls: Calls) -> Any:
        """Return what ``options`` ask for, of the same kind as ``image``."""
        with timed(self.observer, "read"):
            data = _kinds.file_content(image)
        if data is None:
            picture = _kinds.picture(image, self.limits)
            rendered = self._render(picture, self._predict_pixels(picture, calls), options)
            # A copy, since the array that shares memory with the picture cannot be written to.
            return np.array(rendered) if isinstance(image, np.ndarray) else rendered
        with timed(self.observer, "header"):
            codec.read_header(data, self.limits)
        if self.render_on == "server":
            return self._render_remotely(data, options, calls)
        picture, prediction = self._predict_file(data, options, calls)
        rendered = self._render(picture, prediction, options)
        with timed(self.observer, "encode"):
            return render.encode(rendered, options, render.output_profile(picture, rendered))

    def _predict_file(self, data: bytes, options: Options, calls: Calls) -> tuple[Image.Image, _wire.Prediction]:
        with timed(self.observer, "send"):
            pending = calls.infer(_wire.predict_file(self.pipeline, data, options))
        with pending:
            with timed(self.observer, "decode"):
                picture = codec.decode(data, self.limits)
            with timed(self.observer, "wait"):
                response = pending.response()
        return picture, _wire.read_prediction(self.pipeline, response)

    def _predict_pixels(self, picture: Image.Image, calls: Calls) -> _wire.Prediction:
        with timed(self.observer, "resize"):
            square = geometry.to_square(picture, self.pipeline.size)
        with timed(self.observer, "send"):
            pending = calls.infer(_wire.predict_pixels(self.pipeline, square))
        with pending, timed(self.observer, "wait"):
            return _wire.read_prediction(self.pipeline, pending.response())

    def _render_remotely(self, data: bytes, options: Options, calls: Calls) -> bytes:
        with timed(self.observer, "send"):
            pending = calls.infer(_wire.render_file(self.pipeline, data, options))
        with pending, timed(self.observer, "wait"):
            return _wire.read_rendered(pending.response())

    def _render(self, picture: Image.Image, prediction: _wire.Prediction, options: Options) -> Image.Image:
        with timed(self.observer, "render"):
            return render.render(picture, prediction.mask, options)
