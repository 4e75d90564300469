"""API keys: what each is good for, how often, and that they are kept nowhere."""

from __future__ import annotations

import hashlib
import logging
from typing import Any

import httpx
import pytest

from alphacut_gateway import Settings
from alphacut_gateway.keys import ANONYMOUS, Keys
from alphacut_gateway.refusals import UnauthorizedError


def digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def test_a_key_opens_what_its_scopes_name(play: Any, photo: bytes) -> None:
    entries = (digest("plain"), f"{digest('jobs')}:jobs", f"{digest('boss')}:remove+jobs+admin")

    async def scenario(client: httpx.AsyncClient) -> list[list[int]]:
        async def statuses(key: str) -> list[int]:
            headers = {"X-API-Key": key} if key else {}
            return [
                (await client.post("/remove", content=photo, headers=headers)).status_code,
                (await client.post("/v1/batch", files={"file": ("a.png", photo)}, headers=headers)).status_code,
                (await client.post("/v1/jobs", content=photo, headers=headers)).status_code,
                (await client.get("/metrics", headers=headers)).status_code,
            ]

        return [await statuses(key) for key in ("plain", "jobs", "boss", "wrong", "")]

    plain, jobs, boss, wrong, nothing = play(scenario, api_key_hashes=entries)
    assert plain == [200, 200, 202, 403]
    assert jobs == [403, 403, 202, 403]
    assert boss == [200, 200, 202, 200]
    assert wrong == nothing == [401] * 4


def test_health_and_models_need_no_key(play: Any) -> None:
    async def scenario(client: httpx.AsyncClient) -> list[int]:
        return [(await client.get(url)).status_code for url in ("/healthz", "/readyz", "/v1/models", "/")]

    assert play(scenario, api_key_hashes=(digest("a"),)) == [200] * 4


@pytest.mark.parametrize(("entry", "per_minute"), [("", 2), ("::1", 1)])
def test_a_key_is_limited_by_its_entry_or_by_the_setting(play: Any, photo: bytes, entry: str, per_minute: int) -> None:
    async def scenario(client: httpx.AsyncClient) -> list[httpx.Response]:
        headers = {"X-API-Key": "a"}
        return [await client.post("/remove", content=photo, headers=headers) for _ in range(3)]

    answers = play(scenario, api_key_hashes=(digest("a") + entry,), requests_per_minute=2)
    assert [answer.status_code for answer in answers].count(200) == per_minute
    refused = answers[-1]
    assert refused.json()["error"]["code"] == "rate-limit"
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert refused.headers["x-ratelimit-remaining"] == "0"


@pytest.mark.parametrize("entry", ["plain", "A" * 64, "a" * 64 + ":everything", "a" * 64 + ":remove:many", "a" * 63])
def test_an_entry_that_cannot_be_meant_is_refused_without_being_repeated(entry: str) -> None:
    with pytest.raises(ValueError, match="API key hash 1") as refused:
        Settings(api_key_hashes=(entry,))
    assert entry not in str(refused.value)


def test_a_key_of_its_own_header_comes_before_what_else_is_sent_to_authorize() -> None:
    keys = Keys((digest("mine"),))
    for other in ("Bearer yours", "Basic bWU6eW91cnM="):
        assert keys.check({"x-api-key": "mine", "authorization": other}, "remove").digest == digest("mine")


@pytest.mark.parametrize("authorization", ["", "Basic bWluZQ==", "Bearer ", "Digest mine"])
def test_what_is_no_key_counts_as_none(authorization: str) -> None:
    headers = {"x-api-key": "", "authorization": authorization}
    with pytest.raises(UnauthorizedError) as refused:
        Keys((digest("mine"),)).check(headers, "remove")
    assert refused.value.missing
    assert Keys(()).check(headers, "remove").digest == ANONYMOUS


def test_every_hash_is_compared_whichever_matches(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[str] = []

    def compare(given: str, accepted: str) -> bool:
        compared.append(accepted)
        return given == accepted

    monkeypatch.setattr("alphacut_gateway.keys.hmac.compare_digest", compare)
    entries = tuple(digest(key) for key in "abc")
    Keys(entries).check({"x-api-key": "a"}, "remove")
    assert tuple(compared) == entries


def test_neither_keys_nor_secrets_are_shown_or_logged(
    play: Any, photo: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    secrets = {"webhook_secret": "s" * 20, "redis_url": "redis://:password@host"}
    assert not any(secret in repr(Settings(**secrets)) for secret in ("sss", "password"))  # type: ignore[arg-type]

    async def scenario(client: httpx.AsyncClient) -> None:
        for url in ("/remove", "/v1/jobs", "/v1.0/removebg", "/v1/batch"):
            await client.post(url, files={"file": ("my-face.png", photo)}, headers={"X-API-Key": "my-own-key"})
            await client.post(url, content=photo, headers={"Authorization": "Bearer my-own-key"})

    play(scenario, api_key_hashes=(digest("my-own-key"),))
    written = caplog.text + repr([record.__dict__ for record in caplog.records if record.name.startswith("alphacut")])
    assert not any(word in written for word in ("my-own-key", "my-face", "IHDR", digest("my-own-key")))
