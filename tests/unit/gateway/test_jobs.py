"""``/v1/jobs`` as callers see it, with the gateway doing the jobs itself."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import io
import sqlite3
import time
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from alphacut_core.errors import InferenceError, UnavailableError
from alphacut_core.options import Options
from alphacut_gateway.jobs import job as jobs
from alphacut_gateway.jobs.embedded import EmbeddedQueue
from alphacut_gateway.jobs.job import Job, Kind
from alphacut_gateway.jobs.redis_records import RedisRecords
from alphacut_gateway.jobs.sqlite_records import SqliteRecords
from alphacut_gateway.jobs.steps import Then
from alphacut_gateway.tier import Tier
from tests.waiting import PATIENCE_S

URL = "/v1/jobs"


def encoded(picture: Image.Image, kind: str, **options: int) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


async def ended(client: httpx.AsyncClient, job_id: str, **headers: str) -> dict[str, Any]:
    while True:
        job: dict[str, Any] = (await client.get(f"{URL}/{job_id}", headers=headers)).json()
        if job["state"] in ("done", "failed"):
            return job
        await asyncio.sleep(0.01)  # asking is what the interface offers


def test_a_jobs_result_is_what_remove_answers(play: Any, photo: bytes) -> None:
    async def scenario(client: httpx.AsyncClient) -> tuple[httpx.Response, dict[str, Any], bytes, bytes]:
        accepted = await client.post(f"{URL}?format=webp&bg=red", files={"file": photo})
        job = await ended(client, accepted.json()["id"])
        result = await client.get(job["result"])
        assert result.headers["content-type"] == "image/webp"
        return accepted, job, result.content, (await client.post("/remove?format=webp&bg=red", content=photo)).content

    accepted, job, result, answer = play(scenario)
    assert accepted.status_code == 202
    assert accepted.headers["location"] == f"{URL}/{job['id']}"
    assert accepted.json()["durable"] is False
    assert result == answer
    with Image.open(io.BytesIO(result)) as picture:
        assert picture.format == "WEBP"


def test_a_repeated_request_is_the_same_job_and_another_one_with_its_key_is_refused(
    play: Any, predictor: Any, photo: bytes
) -> None:
    async def scenario(client: httpx.AsyncClient) -> list[httpx.Response]:
        key = {"Idempotency-Key": "order-1"}
        first = await client.post(URL, content=photo, headers=key)
        await ended(client, first.json()["id"])
        return [
            first,
            await client.post(URL, content=photo, headers=key),
            await client.post(f"{URL}?bg=red", content=photo, headers=key),
            await client.post(URL, content=photo, headers={"Idempotency-Key": "order-2"}),
            await client.post(URL, content=photo, headers={"Idempotency-Key": "a b"}),
        ]

    first, again, other, new, malformed = play(scenario)
    assert first.json()["id"] == again.json()["id"] != new.json()["id"]
    assert again.json()["state"] == "done"
    assert (other.status_code, other.json()["error"]["code"]) == (422, "idempotency-key-reused")
    assert malformed.status_code == 400


def test_nobody_sees_anothers_job(play: Any, photo: bytes) -> None:
    hashes = tuple(hashlib.sha256(key.encode()).hexdigest() for key in ("mine", "yours"))

    async def scenario(client: httpx.AsyncClient) -> list[int]:
        mine, yours = {"X-API-Key": "mine"}, {"X-API-Key": "yours"}
        job = (await client.post(URL, content=photo, headers=mine)).json()
        await ended(client, job["id"], **mine)
        urls = (f"{URL}/{job['id']}", f"{URL}/{job['id']}/result", f"{URL}/{'0' * 32}", f"{URL}/nonsense")
        return [(await client.get(url, headers=yours)).status_code for url in urls]

    assert play(scenario, api_key_hashes=hashes) == [404] * 4


def test_what_is_no_picture_is_refused_at_once(post: Any) -> None:
    assert post(URL, content=b"hello").status_code == 415


def test_a_job_that_fails_tells_why_as_remove_would(play: Any, predictor: Any, photo: bytes) -> None:
    predictor.error = InferenceError("broken")

    async def scenario(client: httpx.AsyncClient) -> tuple[dict[str, Any], httpx.Response]:
        job = await ended(client, (await client.post(URL, content=photo)).json()["id"])
        return job, await client.get(f"{URL}/{job['id']}/result")

    job, result = play(scenario, job_attempts=1)
    assert (job["state"], job["error"]["code"]) == ("failed", "inference")
    assert (result.status_code, result.json()["error"]["code"]) == (502, "inference")


def test_an_outage_uses_up_no_attempts(play: Any, predictor: Any, photo: bytes) -> None:
    predictor.error = UnavailableError("gone")

    async def scenario(client: httpx.AsyncClient) -> dict[str, Any]:
        job = (await client.post(URL, content=photo)).json()
        await predictor.arrived.wait()
        unfinished = await client.get(f"{URL}/{job['id']}/result")
        assert unfinished.json()["error"]["code"] == "job-unfinished"
        predictor.error = None
        return await ended(client, job["id"])

    job = play(scenario, job_attempts=1)
    assert (job["state"], job["attempts"]) == ("done", 1)


@pytest.mark.parametrize(
    ("hosts", "status"), [((), 403), (("hooks.test",), 400)], ids=["switched off", "not on the list"]
)
def test_a_webhook_that_may_not_be_called_is_refused_with_the_job(
    post: Any, photo: bytes, hosts: tuple[str, ...], status: int
) -> None:
    settings = {"webhook_hosts": hosts, "webhook_secret": "s" * 32}
    response = post(f"{URL}?webhook=http://169.254.169.254/", settings, content=photo)
    assert response.status_code == status


def test_jobs_beyond_the_room_for_them_are_refused(play: Any, photo: bytes) -> None:
    async def scenario(client: httpx.AsyncClient) -> list[int]:
        return [(await client.post(URL, content=photo + bytes([n]))).status_code for n in range(4)]

    assert play(scenario, job_bytes=2 * len(photo))[-1] == 503


def test_results_find_room_however_much_larger_than_their_images_they_are(play: Any, predictor: Any) -> None:
    limit = 250_000  # room for two
    noise = np.random.default_rng(1).integers(0, 256, (4, 100, 100, 3), np.uint8)
    images = [encoded(Image.fromarray(pixels), "JPEG", quality=5) for pixels in noise]

    async def scenario(client: httpx.AsyncClient) -> list[int]:
        predictor.gate = asyncio.Event()
        accepted = [await client.post(URL, content=image) for image in images[:3]]
        assert [response.status_code for response in accepted] == [202, 202, 503]
        predictor.gate.set()
        done = [await ended(client, response.json()["id"]) for response in accepted[:2]]
        results = [await client.get(job["result"]) for job in done]
        assert (await client.post(URL, content=images[3])).status_code == 202
        return [len(result.content) for result in results]

    results = play(scenario, job_bytes=limit)
    assert sum(results) > 10 * sum(map(len, images[:2]))
    assert sum(results) < limit


def test_receivers_that_hang_keep_no_picture_waiting() -> None:
    async def scenario() -> None:
        hanging, done = asyncio.Event(), asyncio.Event()

        class OneStep:
            async def take(self, kind: Kind, _job_id: str) -> Then:
                if kind == "deliver":
                    await hanging.wait()
                done.set()
                return Then()

        records = SqliteRecords(None, keep_s=60, lease_s=60, max_bytes=1)
        queue = EmbeddedQueue(records, OneStep(), 2)  # type: ignore[arg-type]
        try:
            for number in range(5):
                await queue.put("deliver", f"{number}")
            await queue.put("work", "6")
            await asyncio.wait_for(done.wait(), 20)
        finally:
            await queue.close()

    asyncio.run(scenario())


def test_a_job_that_takes_longer_than_its_lease_is_begun_once(tmp_path: Path) -> None:
    lease_s, began_at = 0.5, time.time()
    n_begun = 0

    def records() -> SqliteRecords:
        return SqliteRecords(tmp_path / "jobs", keep_s=60, lease_s=lease_s, max_bytes=1)

    class Slow:
        async def take(self, _kind: Kind, _job_id: str) -> Then:
            nonlocal n_begun
            n_begun += 1
            await asyncio.Event().wait()
            return Then()

    def due_at() -> float:
        with contextlib.closing(sqlite3.connect(tmp_path / "jobs")) as database:
            return float(database.execute("SELECT due_at FROM task").fetchone()[0])

    async def scenario() -> None:
        queues = [EmbeddedQueue(records(), Slow(), 1) for _ in range(2)]  # type: ignore[arg-type]  # two gateways'
        try:
            await queues[0].put("work", "1")
            while n_begun < 2 and due_at() < began_at + 5 * lease_s:
                await asyncio.sleep(0.01)  # asking is what a file offers
        finally:
            for queue in queues:
                await queue.close()

    asyncio.run(asyncio.wait_for(scenario(), PATIENCE_S))
    assert n_begun == 1


def test_a_key_is_known_to_redis_however_short_jobs_are_kept(redis_process: Any, photo: bytes) -> None:
    def job() -> Job:
        return jobs.new(caller="me", fingerprint="f", tier=Tier(), options=Options(), webhook="", trace="")

    async def scenario() -> None:
        records = RedisRecords(redis_process.url, 1)
        try:
            first = await records.create(job(), photo, "order-1", 0)
            assert (await records.create(job(), photo, "order-1", 0)).id == first.id
        finally:
            await records.close()

    asyncio.run(scenario())


def test_a_job_is_kept_whose_key_was_that_of_one_that_is_gone(redis_process: Any, photo: bytes) -> None:
    def job() -> Job:
        return jobs.new(caller="me", fingerprint="f", tier=Tier(), options=Options(), webhook="", trace="")

    async def scenario() -> None:
        records = RedisRecords(redis_process.url, 60)
        try:
            first = await records.create(job(), photo, "order-1", 0)
            await records._redis.delete(f"alphacut:job:{first.id}")
            second = await records.create(job(), photo, "order-1", 0)
            assert (await records.read(second.id), await records.image(second.id)) == (second, photo)
            assert (await records.create(job(), photo, "order-1", 0)).id == second.id
        finally:
            await records.close()

    asyncio.run(scenario())
