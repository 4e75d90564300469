"""What replicas share through a real Redis, and that they work on without it."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import httpx
import numpy as np
import pytest
import redis

from alphacut_client import Prediction
from alphacut_gateway.shared.connection import Shared
from alphacut_gateway.shared.masks import SharedMasks


class Engine:
    """Counts how often it is asked, and answers when it is told to."""

    def __init__(self) -> None:
        self.asked = 0
        self.go = asyncio.Event()
        self.go.set()
        self.error: Exception | None = None

    async def __call__(self) -> Prediction:
        self.asked += 1
        await self.go.wait()
        if self.error is not None:
            raise self.error
        return Prediction(np.arange(100 * 100, dtype=np.uint8).reshape(100, 100), 0.75)


def replica(url: str, failures: list[int] | None = None, lock_s: float = 30.0) -> tuple[Shared, SharedMasks]:
    seen = [] if failures is None else failures
    shared = Shared(url, lambda: seen.append(1))
    return shared, SharedMasks(shared, 60, lock_s, asyncio.sleep)


def test_a_mask_made_by_one_replica_is_known_to_another(redis_process: Any) -> None:
    async def scenario() -> None:
        engine = Engine()
        (one, masks), (other, others) = replica(redis_process.url), replica(redis_process.url)
        made, known = await masks.get("key", engine)
        again, known_again = await others.get("key", engine)
        assert (known, known_again, engine.asked) == (False, True, 1)
        assert np.array_equal(made.mask, again.mask)
        assert again.confidence == 0.75
        await one.close()
        await other.close()

    asyncio.run(scenario())
    with redis.Redis.from_url(redis_process.url) as store:
        assert 0 < store.ttl("alphacut:mask:key") <= 60
        assert store.memory_usage("alphacut:mask:key") < 5000


def test_replicas_that_ask_at_one_time_share_an_inference(redis_process: Any) -> None:
    async def scenario() -> None:
        engine = Engine()
        engine.go.clear()
        replicas = [replica(redis_process.url) for _ in range(4)]
        asked = [asyncio.ensure_future(masks.get("key", engine)) for _, masks in replicas]
        while not engine.asked:
            await asyncio.sleep(0)
        engine.go.set()
        assert sorted(known for _, known in await asyncio.gather(*asked)) == [False, True, True, True]
        assert engine.asked == 1
        for shared, _ in replicas:
            await shared.close()

    asyncio.run(scenario())


def test_a_replica_that_fails_or_dies_holds_nobody_up_for_ever(redis_process: Any) -> None:
    async def scenario() -> None:
        engine, failing = Engine(), Engine()
        failing.error = RuntimeError("gone")
        shared, masks = replica(redis_process.url, lock_s=0.3)
        with pytest.raises(RuntimeError):
            await masks.get("failed", failing)
        assert (await masks.get("failed", engine))[1] is False
        with redis.Redis.from_url(redis_process.url) as store:
            store.set("alphacut:mask:dead:lock", "somebody who was killed", px=60_000)
        assert (await masks.get("dead", engine))[1] is False
        assert engine.asked == 2
        await shared.close()

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "content", [b"", b"rubbish", b"\x01\xff\xff\x00\x00\x00\x00", b"\x01\x64\x00\x00\x00\x40\x3fxx"]
)
def test_what_nobody_here_has_packed_is_made_anew(redis_process: Any, content: bytes) -> None:
    with redis.Redis.from_url(redis_process.url) as store:
        store.set("alphacut:mask:key", content)

    async def scenario() -> None:
        engine = Engine()
        shared, masks = replica(redis_process.url)
        assert (await masks.get("key", engine))[1] is False
        assert (await masks.get("key", engine))[1] is True
        await shared.close()

    asyncio.run(scenario())


def test_without_redis_all_goes_on_counted_and_logged_once(
    redis_process: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "alphacut.gateway")
    failures: list[int] = []

    async def scenario() -> None:
        engine = Engine()
        shared, masks = replica(redis_process.url, failures)
        await masks.get("a", engine)
        redis_process.kill()
        for key in ("a", "b", "c"):
            assert (await masks.get(key, engine))[1] is False
        assert engine.asked == 4
        await shared.close()

    asyncio.run(scenario())
    # Left alone for some seconds after the first failure, so that nobody waits for it.
    assert len(failures) == 1
    assert len([record for record in caplog.records if "Redis is away" in record.getMessage()]) == 1
    assert redis_process.url not in caplog.text


def test_two_gateways_share_masks_and_limits_and_lose_neither_readiness_nor_answers_with_redis(
    play: Any, predictor: Any, photo: bytes, redis_process: Any
) -> None:
    settings = {"redis_url": redis_process.url, "requests_per_minute": 3}

    async def once(client: httpx.AsyncClient) -> httpx.Response:
        return await client.post("/remove", content=photo)

    answers = [play(once, **settings) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [answer.headers.get("x-cache") for answer in answers[:2]] == ["MISS", "SHARED"]
    assert len(predictor.pictures) == 1
    redis_process.kill()

    async def without(client: httpx.AsyncClient) -> tuple[int, int, str]:
        made = await client.post("/remove", content=photo)
        return made.status_code, (await client.get("/readyz")).status_code, (await client.get("/metrics")).text

    made, ready, numbers = play(without, **settings)
    assert (made, ready) == (200, 200)
    assert "alphacut_gateway_redis_failures_total 1.0" in numbers


def test_another_engine_of_the_same_name_makes_masks_anew(
    play: Any, predictor: Any, photo: bytes, redis_process: Any
) -> None:
    async def once(client: httpx.AsyncClient) -> str:
        return (await client.post("/remove", content=photo)).headers["x-cache"]

    assert play(once, redis_url=redis_process.url) == "MISS"
    assert play(once, redis_url=redis_process.url) == "SHARED"
    predictor.identity = "another checksum"
    assert play(once, redis_url=redis_process.url) == "MISS"


def test_no_picture_goes_to_redis_with_a_mask(play: Any, photo: bytes, redis_process: Any) -> None:
    async def once(client: httpx.AsyncClient) -> int:
        return (await client.post("/remove", content=photo)).status_code

    assert play(once, redis_url=redis_process.url) == 200
    with redis.Redis.from_url(redis_process.url) as store:
        names = [name.decode() for name in store.keys("*")]
        assert any(name.startswith("alphacut:mask:") for name in names)
        assert not any(photo in (store.get(name) or b"") for name in names if store.type(name) == b"string")
