"""One image's way: check, send, decode while the server works, composite, encode."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from PIL import Image

from alphacut_client import _kinds, _wire
from alphacut_client._catalogue import Catalogue, Way
from alphacut_client._route import Route
from alphacut_client._steps import Compute, Receive, Send, Steps
from alphacut_client._upload import sends_pixels
from alphacut_client.settings import RenderOn
from alphacut_core import codec, geometry, render, steps, subject
from alphacut_core.contract import Pipeline
from alphacut_core.limits import Limits
from alphacut_core.options import Options


@dataclass(frozen=True, slots=True)
class Work:
    """How a client treats every image; threads and tasks share it.

    Attributes:
        catalogue: Names and sizes of the server's pipelines.
        limits: Bounds on images.
        render_on: Who composites image files.
        waiting: Tells how many requests of this client are under way.
    """

    catalogue: Catalogue
    limits: Limits
    render_on: RenderOn
    waiting: Callable[[], int]

    def answer(self, image: object, route: Route, options: Options) -> Steps:
        """Make what ``options`` ask for, of the kind that ``route.returns`` says."""
        kind = _kinds.wanted(image, route.returns)
        data = yield Compute("read", partial(_kinds.file_content, image, self.limits))
        if data is None:
            picture = yield Compute("decode", partial(_kinds.picture, image, self.limits, route.channels))
            way: Way = partial(self._answer_pixels, picture, kind, route, options)
        else:
            way = partial(self._answer_file, data, kind, route, options)
        return (yield from self.catalogue.go(route, way))

    def predict(self, image: object, route: Route, options: Options) -> Steps:
        """Ask for the engine's mask and confidence, whatever the kind of image."""
        data = yield Compute("read", partial(_kinds.file_content, image, self.limits))
        if data is None:
            picture = yield Compute("decode", partial(_kinds.picture, image, self.limits, route.channels))
            way: Way = partial(self._predict_pixels, picture, route, options)
        else:
            yield Compute("header", partial(codec.read_header, data, self.limits))
            way = partial(self._predict_file, data, route, options)
        return (yield from self.catalogue.go(route, way))

    def _answer_file(
        self, data: bytes, kind: _kinds.Given, route: Route, options: Options, pipeline: Pipeline
    ) -> Steps:
        header = yield Compute("header", partial(codec.read_header, data, self.limits))
        if self.render_on == "server" and kind == "encoded":
            return (yield from self._rendered_there(data, route, options, pipeline))
        if options.needs_pixels:
            picture, ticket = yield from self._decode_and_send(data, route, options, pipeline)
            prediction = yield from _prediction(ticket, options)
            rendered = yield Compute("render", partial(render.render, picture, prediction.mask, options))
        else:  # of the picture itself, its mask needs the size alone
            prediction = yield from self._predict_file(data, route, options, pipeline)
            size = (header.width, header.height)
            rendered = yield Compute("render", partial(render.full_mask, prediction.mask, *size, options))
        return (yield from _handed_over(rendered, kind, route, options))

    def _rendered_there(self, data: bytes, route: Route, options: Options, pipeline: Pipeline) -> Steps:
        ticket = yield _send(_wire.render_file(pipeline, data, options), route)
        response = yield Receive(ticket)
        subject.check(_wire.read_confidence(response), options.min_confidence)
        return _wire.read_rendered(response)

    def _predict_file(self, data: bytes, route: Route, options: Options, pipeline: Pipeline) -> Steps:
        if sends_pixels(route.upload, len(data), pipeline.size, self.waiting()):
            square = yield Compute("resize", partial(steps.preprocess, data, options, pipeline.size, self.limits))
            ticket = yield _send(_wire.predict_pixels(pipeline, square), route)
        else:
            ticket = yield _send(_wire.predict_file(pipeline, data, options), route)
        return (yield from _prediction(ticket, options))

    def _decode_and_send(self, data: bytes, route: Route, options: Options, pipeline: Pipeline) -> Steps:
        """Return the decoded file and the ticket of its mask, doing first what keeps the server waiting least."""
        if not sends_pixels(route.upload, len(data), pipeline.size, self.waiting()):
            ticket = yield _send(_wire.predict_file(pipeline, data, options), route)
            return (yield Compute("decode", partial(codec.decode, data, self.limits))), ticket
        if options.decode == "fast":
            square = yield Compute("resize", partial(steps.preprocess, data, options, pipeline.size, self.limits))
            ticket = yield _send(_wire.predict_pixels(pipeline, square), route)
            return (yield Compute("decode", partial(codec.decode, data, self.limits))), ticket
        picture = yield Compute("decode", partial(codec.decode, data, self.limits))
        square = yield Compute("resize", partial(geometry.to_square, picture, pipeline.size))
        return picture, (yield _send(_wire.predict_pixels(pipeline, square), route))

    def _answer_pixels(
        self, picture: Image.Image, kind: _kinds.Given, route: Route, options: Options, pipeline: Pipeline
    ) -> Steps:
        prediction = yield from self._predict_pixels(picture, route, options, pipeline)
        rendered = yield Compute("render", partial(render.render, picture, prediction.mask, options))
        return (yield from _handed_over(rendered, kind, route, options))

    def _predict_pixels(self, picture: Image.Image, route: Route, options: Options, pipeline: Pipeline) -> Steps:
        square = yield Compute("resize", partial(geometry.to_square, picture, pipeline.size))
        ticket = yield _send(_wire.predict_pixels(pipeline, square), route)
        return (yield from _prediction(ticket, options))


def _prediction(ticket: Any, options: Options) -> Steps:
    prediction = _wire.read_prediction((yield Receive(ticket)))
    subject.check(prediction.confidence, options.min_confidence)
    return prediction


def _handed_over(rendered: Image.Image, kind: _kinds.Given, route: Route, options: Options) -> Steps:
    """Return a finished picture as a file, as an array, or as it is."""
    if kind == "encoded":
        return (yield Compute("encode", partial(render.encode, rendered, options)))
    return _kinds.array(rendered, route.channels) if kind == "array" else rendered


def _send(request: Any, route: Route) -> Send:
    return Send(_wire.queue(request, level=route.level, timeout_s=route.timeout_s), route.timeout_s)
