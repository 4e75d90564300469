"""The asynchronous client against the real server."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from alphacut_client import AsyncClient, Client
from alphacut_core.contract import DEFAULT_PIPELINE
from alphacut_core.errors import AlphacutError, DeadlineError, OverloadedError, UndecodableImageError

pytestmark = pytest.mark.triton


def test_it_cuts_out_what_the_blocking_client_cuts_out(server_url: str, samples: dict[str, bytes]):
    async def run() -> list[object]:
        async with AsyncClient(server_url) as client:
            images = [*samples.values(), samples["cat"][:3000]]
            return await client.remove_batch(images, on_error="return")

    *cutouts, failed = asyncio.run(run())
    assert isinstance(failed, UndecodableImageError)
    with Client(server_url) as client:
        assert cutouts == client.remove_batch(samples.values())


def test_streams_of_both_clients_are_equal(server_url: str, samples: dict[str, bytes]):
    async def run() -> list[object]:
        async with AsyncClient(server_url, window=3) as client:
            return [cutout async for cutout in client.stream(samples.values(), format="webp")]

    with Client(server_url, window=3) as client:
        assert list(client.stream(samples.values(), format="webp")) == asyncio.run(run())


def test_pixels_and_file_get_the_same_mask(server_url: str, samples: dict[str, bytes]):
    from alphacut_core import codec

    with Client(server_url) as client:
        from_file = client.predict(samples["pagoda"])
        from_pixels = client.predict(np.asarray(codec.decode(samples["pagoda"])))
    assert np.array_equal(from_file.mask, from_pixels.mask)
    assert from_file.confidence == from_pixels.confidence


def test_a_server_does_not_work_for_callers_who_have_given_up(server_url: str, samples: dict[str, bytes]):
    n = 400

    async def one(client: AsyncClient) -> type[AlphacutError] | None:
        try:
            await client.predict(samples["dahlia"])
        except (OverloadedError, DeadlineError) as error:
            return type(error)
        return None

    async def run() -> list[type[AlphacutError] | None]:
        async with AsyncClient(server_url, timeout_s=0.8, retry_for_s=0) as client:
            await client.predict(samples["dahlia"])  # asks for the catalogue as well
            return await asyncio.gather(*(one(client) for _ in range(n)))

    with Client(server_url) as client:
        before = client.statistics()[DEFAULT_PIPELINE.engine]
        outcomes = asyncio.run(run())
        client.predict(samples["dahlia"])  # comes after all of them in every queue
        worked = (client.statistics()[DEFAULT_PIPELINE.engine] - before).inferences
    answered = outcomes.count(None)
    assert answered < n
    assert OverloadedError in outcomes, "the server refuses what it cannot answer in time"
    assert worked < n / 2
