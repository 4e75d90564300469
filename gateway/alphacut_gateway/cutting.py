"""An image file's way to a picture: decode, ask for the mask or remember it, render, encode."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal, Protocol

from PIL import Image

from alphacut_client import Health, InstalledModel, Prediction
from alphacut_core import codec, render, subject
from alphacut_core.limits import Limits
from alphacut_core.options import Decode, Options
from alphacut_core.tiers import Mode
from alphacut_gateway import admission
from alphacut_gateway.admission import Budget
from alphacut_gateway.cache import Found, MaskCache
from alphacut_gateway.catalogue import Catalogue
from alphacut_gateway.stages import Stages
from alphacut_gateway.threads import Threads
from alphacut_gateway.tier import Tier

Priority = Literal["interactive", "bulk"]


class Predictor(Protocol):
    """What the gateway needs of ``alphacut_client.AsyncClient``."""

    async def predict(self, image: Image.Image, *, model: str, mode: Mode, priority: Priority) -> Prediction:
        """Return mask and confidence of a picture."""

    async def health(self) -> Health:
        """Ask for a real mask."""

    async def models(self) -> Sequence[InstalledModel]:
        """Return what is served, and what the server says of it."""


@dataclass(frozen=True, slots=True)
class Matte:
    """A decoded picture, upright, with its mask and where that came from."""

    picture: Image.Image
    prediction: Prediction
    found: Found


@dataclass(frozen=True, slots=True)
class Cutting:
    """What every route, and every worker, uses to work on images.

    Attributes:
        predictor: Where masks come from.
        threads: Where pictures are worked on.
        cache: Masks made before.
        megapixels: How much may be under way at once.
        limits: Bounds on images.
        catalogue: What is served.
        priority: ``bulk`` lets others go first in the server's queues.
    """

    predictor: Predictor
    threads: Threads
    cache: MaskCache
    megapixels: Budget
    limits: Limits
    catalogue: Catalogue
    priority: Priority = "interactive"

    @asynccontextmanager
    async def matte(self, data: bytes, tier: Tier, decode: Decode, stages: Stages) -> AsyncIterator[Matte]:
        """Decode an image file and get its mask; its share of the budget is held while the block runs.

        The picture is decoded here and goes to the engine as pixels: no processor beside the engine is needed.

        Args:
            data: The file.
            tier: Which network, at which size.
            decode: ``exact`` or ``fast``, as in ``alphacut_core.options.Options``.
            stages: Told how long things take.

        Raises:
            InputError: The file is not acceptable.
            UnknownModelError: The tier is not served.
            BusyError: Too much is under way.
            ServerError: There is no mask to be had.
        """
        with stages.timed("decode"):
            header = await self.threads.run(codec.read_header, data, self.limits)
        with self.megapixels.hold(admission.cost(header.width, header.height, tier)):
            engine = await self.catalogue.engine(tier)
            with stages.timed("decode"):
                picture = await self.threads.run(codec.decode, data, self.limits)
                small = picture
                if decode == "fast":
                    small = await self.threads.run(codec.decode_reduced, data, engine.installed.size, self.limits)
            with stages.timed("inference"):
                key = f"{await self.digest(data, tier)}/{decode}"
                prediction, found = await self.cache.get(
                    key, lambda: self.predictor.predict(small, model=tier.model, mode=tier.mode, priority=self.priority)
                )
            yield Matte(picture, prediction, found)

    async def render(self, matte: Matte, options: Options, stages: Stages) -> Image.Image:
        """Return the picture that ``options`` ask for.

        Raises:
            NoSubjectError: The network is less sure of a subject than they demand.
        """
        subject.check(matte.prediction.confidence, options.min_confidence)
        with stages.timed("render"):
            return await self.threads.run(render.render, matte.picture, matte.prediction.mask, options)

    async def encode(self, picture: Image.Image, options: Options, stages: Stages) -> bytes:
        """Return a rendered picture as a file."""
        with stages.timed("encode"):
            return await self.threads.run(render.encode, picture, options)

    async def digest(self, data: bytes, tier: Tier) -> str:
        """Return what identifies an image file and the engine that its mask comes from.

        Raises:
            UnknownModelError: The tier is not served.
            UnavailableError: Nobody has ever said what is served.
        """
        engine = await self.catalogue.engine(tier)
        content = await self.threads.run(lambda: hashlib.sha256(data).hexdigest())
        return f"{content}/{engine.identity}"
