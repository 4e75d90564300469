"""``POST /remove``: options, errors, cache, limits."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import tempfile
from collections.abc import AsyncIterator
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from alphacut_core import codec
from alphacut_core.errors import DeadlineError, InferenceError, OverloadedError, UnavailableError


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def test_a_form_and_a_raw_body_give_the_same_cutout(post: Any, photo: bytes) -> None:
    form = post("/remove", files={"file": photo})
    raw = post("/remove", content=photo)
    assert form.status_code == raw.status_code == 200
    assert form.content == raw.content
    cutout = opened(raw.content)
    assert (cutout.mode, cutout.size) == ("RGBA", (40, 20))
    assert cutout.getpixel((2, 10)) == (200, 30, 40, 255)
    assert cutout.getpixel((38, 10))[3] == 0


@pytest.mark.parametrize(
    ("query", "media_type", "mode"),
    [
        ("format=webp", "image/webp", "RGBA"),
        ("output=mask", "image/png", "L"),
        ("output=mask&model=u2netp&decode=fast", "image/png", "L"),
    ],
)
def test_the_query_chooses_what_comes_back(post: Any, photo: bytes, query: str, media_type: str, mode: str) -> None:
    response = post(f"/remove?{query}", content=photo)
    assert response.headers["content-type"] == media_type
    assert opened(response.content).mode == mode


@pytest.mark.parametrize("url", ["/remove", "/v1/batch", "/v1/jobs"])
def test_fields_of_a_form_are_parameters_too_and_unknown_names_are_refused(post: Any, photo: bytes, url: str) -> None:
    known = post(f"{url}?format=png", files={"file": photo}, data={"format": "jpeg", "bg": "white"})
    assert known.status_code == (202 if "jobs" in url else 200)
    if url == "/remove":
        assert opened(known.content).format == "JPEG"
    for wrong in (
        post(url, files={"file": photo}, data={"treshold": "3"}),
        post(f"{url}?treshold=3", files={"file": photo}),
        post(url, files={"file": photo}, data={"format": "gif"}),
    ):
        assert (wrong.status_code, wrong.json()["error"]["code"]) == (422, "option-invalid")
        assert "treshold" in wrong.text or "format" in wrong.text


def test_a_background_shows_where_the_subject_does_not(post: Any, photo: bytes) -> None:
    response = post("/remove?bg=%230f08", content=photo)
    assert opened(response.content).getpixel((38, 10)) == (0, 255, 0, 136)


def test_rembg_colors_are_multiplied_by_the_mask(post: Any, photo: bytes) -> None:
    cutout = opened(post("/remove?color=rembg", content=photo).content)
    assert cutout.getpixel((38, 10)) == (0, 0, 0, 0)


@pytest.mark.parametrize(
    ("url", "body", "status", "code"),
    [
        ("/remove", b"", 400, "image-empty"),
        ("/remove", b"hello", 415, "image-unsupported"),
        ("/remove", b"\x89PNG\r\n\x1a\n broken", 400, "image-undecodable"),
        ("/remove?format=gif", b"x", 422, "option-invalid"),
        ("/remove?bg=nocolor", b"x", 422, "option-invalid"),
        ("/remove?format=jpeg", b"x", 422, "option-invalid"),
        ("/remove?model=isnet", b"x", 404, "model-unknown"),
        ("/remove?mode=huge", b"x", 422, "option-invalid"),
        ("/nowhere", b"x", 404, "not-found"),
        ("/healthz", b"x", 405, "method-not-allowed"),
    ],
)
def test_an_error_has_one_shape(post: Any, url: str, body: bytes, status: int, code: str) -> None:
    response = post(url, content=body)
    assert response.status_code == status
    assert response.json()["error"]["code"] == code
    assert response.json()["error"]["message"]


@pytest.mark.parametrize(
    ("error", "status", "comes_back"),
    [
        (UnavailableError("gone"), 503, True),
        (OverloadedError("full"), 429, True),
        (DeadlineError("late"), 504, False),
        (InferenceError("broken"), 502, False),
    ],
)
def test_a_failing_server_is_told_apart(
    post: Any, predictor: Any, photo: bytes, *, error: Exception, status: int, comes_back: bool
) -> None:
    predictor.error = error
    response = post("/remove", content=photo)
    assert response.status_code == status
    assert ("retry-after" in response.headers) == comes_back


def test_an_unexpected_error_tells_nothing_of_our_insides(post: Any, predictor: Any, photo: bytes) -> None:
    predictor.error = RuntimeError("password")
    response = post("/remove", content=photo)
    assert response.status_code == 500
    assert response.json()["error"]["code"] == "internal"
    assert "password" not in response.text
    assert response.headers["x-content-type-options"] == "nosniff"


def test_an_unexpected_error_is_found_in_log_and_numbers_by_the_id_in_its_answer(
    play: Any, predictor: Any, photo: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "alphacut.gateway")
    predictor.error = RuntimeError("password")

    async def scenario(client: httpx.AsyncClient) -> tuple[str, dict[str, Any], str]:
        answer = await client.post("/remove", content=photo)
        line = json.loads(caplog.records[-1].getMessage())
        return answer.headers["x-request-id"], line, (await client.get("/metrics")).text

    request_id, line, numbers = play(scenario)
    assert (line["id"], line["status"]) == (request_id, 500)
    assert 'alphacut_gateway_errors_total{code="internal"} 1.0' in numbers


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"content-type": "multipart/form-data"}, b"x", 400),
        ({"content-type": "multipart/form-data; boundary=a"}, b"--a\r\nbroken", 400),
        ({"content-type": "multipart/form-data; boundary=a"}, b"", 400),
        ({"content-encoding": "gzip"}, b"x", 415),
        ({"content-type": "application/json"}, b"{", 415),
    ],
)
def test_a_malformed_body_is_refused(post: Any, headers: dict[str, str], body: bytes, status: int) -> None:
    assert post("/remove", content=body, headers=headers).status_code == status


def test_a_photograph_that_curl_calls_a_form_is_a_photograph(post: Any, photo: bytes) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    assert post("/remove", content=photo, headers=headers).status_code == 200


def test_two_images_in_a_form_are_refused(post: Any, photo: bytes) -> None:
    response = post("/remove", files=[("file", photo), ("file", photo)])
    assert response.status_code == 400
    assert "twice" in response.json()["error"]["message"]


def test_too_large_a_body_is_refused_unread(post: Any) -> None:
    async def never() -> AsyncIterator[bytes]:
        raise AssertionError("the body was read")
        yield b""

    response = post("/remove", {"max_bytes": 1000}, content=never(), headers={"content-length": "1000000"})
    assert response.status_code == 413


def test_a_body_that_grows_too_large_is_cut_off(post: Any) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1
            yield bytes(10_000)

    response = post("/remove", {"max_bytes": 100_000}, content=endless())
    assert response.status_code == 413
    assert sent < 30


def test_a_body_that_never_ends_is_given_up(post: Any) -> None:
    async def slow() -> AsyncIterator[bytes]:
        yield b"\x89PNG"
        await asyncio.Event().wait()

    response = post("/remove", {"upload_timeout_s": 1}, content=slow())
    assert response.status_code == 408


def test_too_many_pixels_are_refused_before_decoding(post: Any, predictor: Any, photo: bytes) -> None:
    assert post("/remove", {"max_pixels": 100}, content=photo).status_code == 413
    assert predictor.pictures == []


def test_a_known_mask_costs_no_inference(play: Any, predictor: Any, photo: bytes) -> None:
    async def scenario(client: httpx.AsyncClient) -> list[str]:
        answers = [await client.post(f"/remove?{query}", content=photo) for query in ("", "bg=red", "decode=fast")]
        return [answer.headers["x-cache"] for answer in answers]

    assert play(scenario) == ["MISS", "HIT", "MISS"]
    assert len(predictor.pictures) == 2


def test_equal_requests_at_one_time_share_an_inference(play: Any, predictor: Any, photo: bytes) -> None:
    async def scenario(client: httpx.AsyncClient) -> list[str]:
        predictor.gate = asyncio.Event()
        requests = [asyncio.ensure_future(client.post("/remove", content=photo)) for _ in range(5)]
        await predictor.arrived.wait()
        predictor.gate.set()
        return [(await request).headers["x-cache"] for request in requests]

    assert sorted(play(scenario))[-1] == "MISS"
    assert len(predictor.pictures) == 1


def test_what_the_caller_has_is_not_made_again(play: Any, predictor: Any, photo: bytes) -> None:
    async def scenario(client: httpx.AsyncClient) -> tuple[int, int, int]:
        etag = (await client.post("/remove", content=photo)).headers["etag"]
        condition = {"if-none-match": f'"other", W/{etag}'}
        same = await client.post("/remove", content=photo, headers=condition)
        other = await client.post("/remove?bg=red", content=photo, headers=condition)
        return same.status_code, len(same.content), other.status_code

    assert play(scenario) == (304, 0, 200)


def test_megapixels_beyond_capacity_are_refused_with_a_time_to_come_back(
    play: Any, predictor: Any, photo: bytes
) -> None:
    big = Image.new("RGB", (1000, 1200))
    buffer = io.BytesIO()
    big.save(buffer, "PNG")

    async def scenario(client: httpx.AsyncClient) -> tuple[httpx.Response, httpx.Response]:
        predictor.gate = asyncio.Event()
        first = asyncio.ensure_future(client.post("/remove", content=buffer.getvalue()))
        await predictor.arrived.wait()
        second = await client.post("/remove", content=photo)
        predictor.gate.set()
        return await first, second

    first, second = play(scenario, max_megapixels_in_flight=1)
    assert (first.status_code, second.status_code) == (200, 503)
    assert second.headers["retry-after"] == "1"
    assert second.json()["error"]["code"] == "busy"


def test_bytes_beyond_capacity_are_refused_before_they_are_read(play: Any, predictor: Any, photo: bytes) -> None:
    async def unread() -> AsyncIterator[bytes]:
        raise AssertionError("the body was read")
        yield b""

    async def scenario(client: httpx.AsyncClient) -> httpx.Response:
        predictor.gate = asyncio.Event()
        first = asyncio.ensure_future(client.post("/remove", content=photo))
        await predictor.arrived.wait()
        second = await client.post("/remove", content=unread(), headers={"content-length": "1000"})
        predictor.gate.set()
        await first
        return second

    assert play(scenario, max_bytes_in_flight=500).status_code == 503


def test_with_keys_configured_only_they_open(play: Any, photo: bytes) -> None:
    async def scenario(client: httpx.AsyncClient) -> list[int]:
        headers = [{}, {"X-API-Key": "wrong"}, {"X-API-Key": "secret"}, {"Authorization": "Bearer secret"}]
        return [(await client.post("/remove", content=photo, headers=given)).status_code for given in headers]

    digest = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"
    assert play(scenario, api_key_hashes=(digest,)) == [401, 401, 200, 200]


def test_every_answer_carries_an_id_and_security_headers(post: Any, photo: bytes) -> None:
    response = post("/remove", content=photo, headers={"x-request-id": "mine-1"})
    assert response.headers["x-request-id"] == "mine-1"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in response.headers["content-security-policy"]
    assert "access-control-allow-origin" not in response.headers
    forged = post("/nowhere", headers={"x-request-id": "a\tb"})
    assert forged.headers["x-request-id"] != "a\tb"


def test_the_log_names_the_route_and_nothing_of_the_request(
    post: Any, photo: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "alphacut.gateway")
    post(
        "/remove?bg=%23123456",
        files={"file": ("private-name.png", photo)},
        headers={"X-API-Key": "secret", "traceparent": f"00-{'a' * 32}-{'b' * 16}-01"},
    )
    line = json.loads(caplog.records[-1].getMessage())
    assert line["route"] == "/remove"
    assert line["status"] == 200
    assert line["trace_id"] == "a" * 32
    assert not any(word in caplog.text for word in ("private-name", "secret", "123456"))


def test_server_timing_names_every_stage(post: Any, photo: bytes) -> None:
    timing = post("/remove", content=photo).headers["server-timing"]
    assert [part.partition(";")[0] for part in timing.split(", ")] == ["decode", "inference", "render", "encode"]


def test_a_large_upload_touches_no_disk(post: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_file: Any) -> None:
        raise AssertionError("the upload was written to a disk")

    monkeypatch.setattr(tempfile.SpooledTemporaryFile, "rollover", refuse)
    noise = np.random.default_rng(1).integers(0, 256, (1200, 1200, 3), np.uint8)
    data = codec.encode_png(Image.fromarray(noise))
    assert len(data) > 4_000_000
    assert post("/remove?output=mask", files={"file": data}).status_code == 200
