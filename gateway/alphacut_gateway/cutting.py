"""An image file's way to a picture: decode, ask for the mask or remember it, render, encode."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from PIL import Image

from alphacut_client import Health, Prediction
from alphacut_core import codec, render
from alphacut_core.contract import DEFAULT_PIPELINE
from alphacut_core.limits import Limits
from alphacut_core.options import Decode, Options
from alphacut_gateway.admission import Budget
from alphacut_gateway.cache import Found, MaskCache
from alphacut_gateway.stages import Stages
from alphacut_gateway.threads import Threads


class Predictor(Protocol):
    """What the gateway needs of ``alphacut_client.AsyncClient``."""

    async def predict(self, image: Image.Image) -> Prediction:
        """Return mask and confidence of a picture."""

    async def health(self) -> Health:
        """Ask for a real mask."""


@dataclass(frozen=True, slots=True)
class Matte:
    """A decoded picture, upright, with its mask and where that came from."""

    picture: Image.Image
    prediction: Prediction
    found: Found


@dataclass(frozen=True, slots=True)
class Cutting:
    """What every route uses to work on images.

    Attributes:
        predictor: Where masks come from.
        threads: Where pictures are worked on.
        cache: Masks made before.
        megapixels: How much may be decoded at once.
        limits: Bounds on images.
        model_version: Tells masks of one engine from those of another.
    """

    predictor: Predictor
    threads: Threads
    cache: MaskCache
    megapixels: Budget
    limits: Limits
    model_version: str

    @asynccontextmanager
    async def matte(self, data: bytes, digest: str, decode: Decode, stages: Stages) -> AsyncIterator[Matte]:
        """Decode an image file and get its mask; its megapixels are held while the block runs.

        The picture is decoded here and goes to the engine as pixels: no processor beside the engine is needed.

        Args:
            data: The file.
            digest: What ``digest`` said of it.
            decode: ``exact`` or ``fast``, as in ``alphacut_core.options.Options``.
            stages: Told how long things take.

        Raises:
            InputError: The file is not acceptable.
            BusyError: Too much is under way.
            ServerError: There is no mask to be had.
        """
        with stages.timed("decode"):
            header = await self.threads.run(codec.read_header, data, self.limits)
        with self.megapixels.hold(header.width * header.height / 1e6):
            with stages.timed("decode"):
                picture = await self.threads.run(codec.decode, data, self.limits)
                small = picture
                if decode == "fast":
                    small = await self.threads.run(codec.decode_reduced, data, DEFAULT_PIPELINE.size, self.limits)
            with stages.timed("inference"):
                key = f"{digest}/{decode}"
                prediction, found = await self.cache.get(key, functools.partial(self.predictor.predict, small))
            yield Matte(picture, prediction, found)

    async def render(self, matte: Matte, options: Options, stages: Stages) -> Image.Image:
        """Return the picture that ``options`` ask for."""
        with stages.timed("render"):
            return await self.threads.run(render.render, matte.picture, matte.prediction.mask, options)

    async def encode(self, picture: Image.Image, options: Options, stages: Stages) -> bytes:
        """Return a rendered picture as a file."""
        with stages.timed("encode"):
            return await self.threads.run(render.encode, picture, options)

    async def digest(self, data: bytes) -> str:
        """Return what identifies an image file and the engine that its mask comes from."""
        content = await self.threads.run(lambda: hashlib.sha256(data).hexdigest())
        return f"{content}/{self.model_version}"
