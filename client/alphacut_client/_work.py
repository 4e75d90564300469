"""One image's way: check, send, decode while the server works, composite, encode."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
from PIL import Image

from alphacut_client import _kinds, _wire
from alphacut_client._steps import Compute, Receive, Send, Steps
from alphacut_core import codec, geometry, render
from alphacut_core.contract import Pipeline
from alphacut_core.limits import Limits
from alphacut_core.options import Options

RenderOn = Literal["client", "server"]


@dataclass(frozen=True, slots=True)
class Work:
    """How a client treats every image; holds no state, so threads and tasks share it."""

    pipeline: Pipeline
    limits: Limits
    render_on: RenderOn

    def answer(self, image: object, options: Options) -> Steps:
        """Make what ``options`` ask for, of the same kind as ``image``."""
        data = yield Compute("read", partial(_kinds.file_content, image))
        if data is None:
            return (yield from self._answer_pixels(image, options))
        header = yield Compute("header", partial(codec.read_header, data, self.limits))
        if self.render_on == "server":
            ticket = yield Send(_wire.render_file(self.pipeline, data, options))
            return _wire.read_rendered((yield Receive(ticket)))
        ticket = yield Send(_wire.predict_file(self.pipeline, data, options))
        if options.output == "mask":
            return (yield from self._mask_file(ticket, header, options))
        picture = yield Compute("decode", partial(codec.decode, data, self.limits))
        prediction = _wire.read_prediction(self.pipeline, (yield Receive(ticket)))
        rendered = yield Compute("render", partial(render.render, picture, prediction.mask, options))
        return (yield Compute("encode", partial(render.encode, rendered, options)))

    def predict(self, image: object, options: Options) -> Steps:
        """Ask for the engine's mask and confidence, whatever the kind of image."""
        data = yield Compute("read", partial(_kinds.file_content, image))
        if data is None:
            picture = yield Compute("decode", partial(_kinds.picture, image, self.limits))
            return (yield from self._predict_pixels(picture))
        yield Compute("header", partial(codec.read_header, data, self.limits))
        ticket = yield Send(_wire.predict_file(self.pipeline, data, options))
        return _wire.read_prediction(self.pipeline, (yield Receive(ticket)))

    def _mask_file(self, ticket: Any, header: codec.Header, options: Options) -> Steps:
        """Only the server decodes: of the picture its mask needs the size alone."""
        prediction = _wire.read_prediction(self.pipeline, (yield Receive(ticket)))
        size = (header.width, header.height)
        mask = yield Compute("render", partial(render.full_mask, prediction.mask, *size, options))
        return (yield Compute("encode", partial(render.encode, mask, options)))

    def _answer_pixels(self, image: object, options: Options) -> Steps:
        picture = yield Compute("decode", partial(_kinds.picture, image, self.limits))
        prediction = yield from self._predict_pixels(picture)
        rendered = yield Compute("render", partial(render.render, picture, prediction.mask, options))
        # A copy, since the array that shares memory with the picture cannot be written to.
        return np.array(rendered) if isinstance(image, np.ndarray) else rendered

    def _predict_pixels(self, picture: Image.Image) -> Steps:
        square = yield Compute("resize", partial(geometry.to_square, picture, self.pipeline.size))
        ticket = yield Send(_wire.predict_pixels(self.pipeline, square))
        return _wire.read_prediction(self.pipeline, (yield Receive(ticket)))
