"""``/v1.0/removebg`` and ``/v1.0/account``: the contract's parameters, headers, errors and shapes of JSON."""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from PIL import Image

from alphacut_core import codec

KEY = {"X-API-Key": "anything"}
URL = "/v1.0/removebg"
RED, BLUE = (255, 0, 0), (0, 0, 255)


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def png(width: int, height: int, color: tuple[int, ...] = RED) -> bytes:
    return codec.encode_png(Image.new("RGB", (width, height), color))


Ask = Callable[..., httpx.Response]


@pytest.fixture
def ask(post: Any) -> Ask:
    """Ask for a cut-out of a red picture of 200x100 pixels, whose left half is the subject."""

    def run(headers: dict[str, str] | None = None, settings: dict[str, Any] | None = None, **fields: str) -> Any:
        return post(URL, settings, files={"image_file": png(200, 100)}, data=fields, headers=KEY | (headers or {}))

    return run


def test_a_cutout_comes_as_png_with_the_contracts_headers(ask: Ask) -> None:
    response = ask()
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "image/png"
    cutout = opened(response.content)
    assert cutout.getpixel((5, 50)) == (*RED, 255)
    assert cutout.getpixel((195, 50))[3] == 0
    expected = {"X-Width": "200", "X-Height": "100", "X-Max-Width": "200", "X-Max-Height": "100", "X-Type": "other"}
    expected |= {"X-Foreground-Top": "0", "X-Foreground-Left": "0", "X-Foreground-Height": "100"}
    expected |= {"X-Credits-Charged": "0.0", "X-RateLimit-Limit": "500", "X-RateLimit-Remaining": "499"}
    assert {name: response.headers[name] for name in expected} == expected
    assert abs(int(response.headers["X-Foreground-Width"]) - 100) <= 2
    assert int(response.headers["X-RateLimit-Reset"]) > 1_700_000_000


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("application/json, text/plain, */*", "image/png"),  # axios, unless told otherwise
        ("*/*", "image/png"),
        ("image/*, application/json;q=0.5", "image/png"),
        ("application/json;q=0", "image/png"),
        ("text/html", "image/png"),
        ("Application/JSON", "application/json"),
        ("application/json, */*;q=0.8", "application/json"),
        ("image/*;q=0.1,application/*", "application/json"),
    ],
)
def test_json_is_for_those_who_like_it_better_than_the_picture(ask: Ask, accept: str, kind: str) -> None:
    assert ask({"Accept": accept}).headers["content-type"] == kind


def test_a_caller_who_accepts_json_gets_base64(ask: Ask) -> None:
    data = ask({"Accept": "application/json"}).json()["data"]
    assert opened(base64.b64decode(data["result_b64"])).size == (200, 100)
    assert data["foreground_top"] == data["foreground_left"] == 0
    assert data["foreground_height"] == 100


@pytest.mark.parametrize("kind", ["json", "data"])
@pytest.mark.parametrize("ends", ["", "\n", "\r\n"])
def test_base64_is_taken_from_json_and_from_forms_in_lines_or_not(post: Any, kind: str, ends: str) -> None:
    text = base64.encodebytes(png(20, 10)).decode().replace("\n", ends)
    body = {"image_file_b64": text, "size": "auto", "crop": "true"}
    response = post(URL, headers=KEY, **{kind: body})
    assert response.status_code == 200, response.text
    assert opened(response.content).height == 10


@pytest.mark.parametrize(
    ("size", "width", "height"), [("preview", 707, 353), ("medium", 1600, 800), ("full", 1600, 800), ("4k", 1600, 800)]
)
def test_the_size_bounds_the_answer(post: Any, size: str, width: int, height: int) -> None:
    response = post(URL, files={"image_file": png(1600, 800)}, data={"size": size}, headers=KEY)
    assert opened(response.content).size == (width, height)
    assert response.headers["X-Width"] == str(width)
    assert abs(int(response.headers["X-Max-Width"]) - 1600) <= 2


@pytest.mark.parametrize(
    ("fields", "media_type"),
    [
        ({}, "image/png"),
        ({"bg_color": "fff"}, "image/jpeg"),
        ({"bg_color": "ffffff80"}, "image/png"),
        ({"bg_color": "white", "channels": "alpha"}, "image/png"),
        ({"format": "jpg"}, "image/jpeg"),
        ({"format": "webp"}, "image/webp"),
        ({"format": "zip"}, "application/zip"),
    ],
)
def test_the_format_is_as_asked_or_fits_the_transparency(ask: Ask, fields: dict[str, str], media_type: str) -> None:
    assert ask(**fields).headers["content-type"] == media_type


def test_a_zip_holds_colors_and_alpha_apart(ask: Ask) -> None:
    with zipfile.ZipFile(io.BytesIO(ask(format="zip").content)) as archive:
        assert sorted(archive.namelist()) == ["alpha.png", "color.jpg"]
        alpha, color = opened(archive.read("alpha.png")), opened(archive.read("color.jpg"))
    assert (alpha.mode, color.mode, alpha.size) == ("L", "RGB", color.size)
    assert (alpha.getpixel((5, 50)), alpha.getpixel((195, 50))) == (255, 0)
    assert color.getpixel((195, 50))[0] > 250


def test_channels_alpha_is_the_mask(ask: Ask) -> None:
    mask = opened(ask(channels="alpha").content)
    assert (mask.mode, mask.getpixel((5, 50)), mask.getpixel((195, 50))) == ("L", 255, 0)


def test_outside_the_region_of_interest_is_background(ask: Ask) -> None:
    cutout = opened(ask(roi="0% 0% 25% 50px").content)
    assert cutout.getpixel((20, 20))[3] == 255
    assert cutout.getpixel((60, 20))[3] == cutout.getpixel((20, 70))[3] == 0


def test_cropping_leaves_the_subject_and_its_margin(ask: Ask) -> None:
    bare = opened(ask(crop="true").content)
    assert abs(bare.width - 100) <= 2
    framed = opened(ask(crop="true", crop_margin="10px 20%").content)
    assert framed.height == 120
    assert framed.width == bare.width + 2 * round(0.2 * bare.width)
    assert framed.getpixel((framed.width // 2, 2))[3] == 0


def test_a_scaled_subject_stands_in_the_middle(ask: Ask) -> None:
    alpha = opened(ask(scale="50%").content).getchannel("A")
    left, top, right, bottom = alpha.point(lambda value: 255 * (value > 127)).getbbox()
    assert (bottom - top, abs(left + right - 200) <= 2, top) == (50, True, 25)


def test_a_position_moves_the_subject(ask: Ask) -> None:
    alpha = opened(ask(position="100% 0%").content).getchannel("A")
    assert (alpha.getpixel((5, 50)), alpha.getpixel((195, 50))) == (0, 255)


def test_a_background_picture_covers(post: Any) -> None:
    sources = {"image_file": png(200, 100), "bg_image_file": png(30, 30, BLUE)}
    response = post(URL, files=sources, data={"format": "png"}, headers=KEY)
    picture = opened(response.content)
    assert picture.getpixel((195, 50)) == (*BLUE, 255)
    assert picture.getpixel((5, 50)) == (*RED, 255)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"size": "huge"}, "invalid_size"),
        ({"format": "gif"}, "invalid_format"),
        ({"type": "dragon"}, "invalid_type"),
        ({"type_level": "7"}, "invalid_type_level"),
        ({"channels": "rgb"}, "invalid_channels"),
        ({"roi": "1 2 3"}, "invalid_roi"),
        ({"roi": "0px 0px 201px 10px"}, "roi_exceeds_bounds"),
        ({"roi": "0% 0% 101% 10%"}, "roi_exceeds_bounds"),
        ({"roi": "50% 50% 50% 60%"}, "roi_region_empty"),
        ({"roi": "80% 0% 100% 100%"}, "unknown_foreground"),
        ({"crop": "maybe"}, "invalid_crop"),
        ({"crop_margin": "51%"}, "invalid_crop_margin"),
        ({"crop_margin": "501px"}, "invalid_crop_margin"),
        ({"crop_margin": "1px 2px 3px"}, "invalid_crop_margin"),
        ({"scale": "9%"}, "invalid_scale"),
        ({"scale": "10px"}, "invalid_scale"),
        ({"position": "middle"}, "invalid_position"),
        ({"position": "10px"}, "invalid_position"),
        ({"bg_color": "nocolor"}, "invalid_bg_color"),
        ({"bg_color": "red", "bg_image_url": "http://a.b/c"}, "multiple_bg_sources"),
        ({"bg_image_url": "ftp://a.b/c"}, "invalid_bg_image_url"),
        ({"bg_image_url": "http://a.b/c"}, "failed_bg_download"),
        ({"semitransparency": "some"}, "invalid_semitransparency"),
        ({"add_shadow": "some"}, "invalid_add_shadow"),
        ({"image_url": "http://a.b/c"}, "multiple_sources"),
    ],
)
def test_a_wrong_parameter_has_its_code(ask: Ask, fields: dict[str, str], code: str) -> None:
    response = ask(**fields)
    assert response.status_code == 400
    (error,) = response.json()["errors"]
    assert error["code"] == code
    assert error["title"]
    assert error["detail"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"data": {"size": "auto"}}, "missing_source"),
        ({"content": b""}, "missing_source"),
        ({"data": {"image_url": "gopher://x"}}, "invalid_image_url"),
        ({"data": {"image_url": "http://169.254.169.254/latest"}}, "failed_image_download"),
        ({"data": {"image_file_b64": "***"}}, "failed_to_read_image"),
        ({"data": {"image_file": "not a file"}}, "failed_to_read_image"),
        ({"files": {"image_file": b"hello"}}, "invalid_file_type"),
        ({"files": {"image_file": b"\xff\xd8\xff"}}, "failed_to_read_image"),
        ({"files": {"image_file": png(2, 2), "bg_image_file": b"hello"}}, "failed_to_read_bg_image"),
        ({"files": {"image_file": png(400, 300)}}, "resolution_too_high"),
        ({"content": bytes(300_000)}, "file_too_large"),
    ],
)
def test_a_wrong_image_has_its_code(post: Any, body: dict[str, Any], code: str) -> None:
    response = post(URL, {"max_pixels": 100_000, "max_bytes": 100_000}, headers=KEY, **body)
    assert response.status_code == 400
    assert response.json()["errors"][0]["code"] == code


def test_a_form_that_cannot_be_read_is_malformed(post: Any) -> None:
    headers = KEY | {"content-type": "application/x-www-form-urlencoded"}
    for body in (b"a=b&" * 100, b"\xff", b"nothing"):
        response = post(URL, content=body, headers=headers)
        assert (response.status_code, response.json()["errors"][0]["code"]) == (400, "bad_request")


def test_where_the_network_sees_nothing_there_is_no_foreground(ask: Ask, predictor: Any) -> None:
    predictor.confidence = 0.01
    response = ask()
    assert (response.status_code, response.json()["errors"][0]["code"]) == (400, "unknown_foreground")


def test_what_is_not_available_is_announced(ask: Ask) -> None:
    assert ask(add_shadow="true", shadow_type="3d").headers["X-Ignored"] == "shadow_type, add_shadow"


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("POST /v1.0/removebg", (500, "Internal server error", "internal")),
        ("GET /v1.0/removebg", (405, "Method not allowed", "method_not_allowed")),
        ("POST /v1.0/improve", (404, "Not found", "not_found")),
    ],
)
def test_what_no_route_answers_has_the_contracts_shape_too(
    play: Any, predictor: Any, photo: bytes, asked: str, told: tuple[int, str, str]
) -> None:
    method, path = asked.split()
    predictor.error = RuntimeError("password")
    sent = {"files": {"image_file": ("a.png", photo)}} if method == "POST" else {}
    response = play(lambda client: client.request(method, path, headers=KEY, **sent))
    (error,) = response.json()["errors"]
    assert (response.status_code, error["title"], error["code"]) == told
    assert error["detail"]
    assert "password" not in response.text
    assert ("allow" in response.headers) == (told[0] == 405)


def test_a_missing_and_a_wrong_key_are_told_apart(play: Any) -> None:
    async def scenario(client: httpx.AsyncClient) -> list[tuple[int, str, str]]:
        answers = [
            await client.post(URL, headers=headers, files={"image_file": png(2, 2)})
            for headers in ({}, {"X-API-Key": "wrong"})
        ]
        answers.append(await client.get("/v1.0/account"))
        return [(a.status_code, a.json()["errors"][0]["title"], a.json()["errors"][0]["code"]) for a in answers]

    missing, invalid = (403, "Missing API Key", "auth_failed"), (403, "API Key invalid", "auth_failed")
    assert play(scenario, api_key_hashes=("a" * 64,)) == [missing, invalid, missing]


def test_a_key_for_something_else_is_invalid_here(play: Any) -> None:
    async def scenario(client: httpx.AsyncClient) -> httpx.Response:
        return await client.post(URL, headers=KEY, files={"image_file": png(2, 2)})

    digest = hashlib.sha256(KEY["X-API-Key"].encode()).hexdigest()
    response = play(scenario, api_key_hashes=(f"{digest}:jobs",))
    assert (response.status_code, response.json()["errors"][0]["code"]) == (403, "auth_failed")


def test_the_rate_limit_counts_megapixels_and_a_refusal_costs_nothing(play: Any) -> None:
    async def scenario(client: httpx.AsyncClient) -> tuple[list[int], httpx.Response, Any]:
        large, small = png(1600, 1200), png(625, 400)
        answers = [await client.post(URL, headers=KEY, files={"image_file": data}) for data in (large, large, small)]
        account = await client.get("/v1.0/account", headers=KEY)
        other = await client.get("/v1.0/account", headers={"X-API-Key": "another"})
        calls = [reply.json()["data"]["attributes"]["api"]["free_calls"] for reply in (account, other)]
        return [answer.status_code for answer in answers], answers[1], calls

    statuses, refused, calls = play(scenario, megapixels_per_minute=3)
    assert statuses == [200, 429, 200]
    assert refused.json()["errors"][0]["title"] == "Rate limit exceeded"
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert refused.headers["X-RateLimit-Remaining"] == "1"
    assert calls == [0, 3]


def test_an_account_has_the_contracts_shape(play: Any) -> None:
    async def scenario(client: httpx.AsyncClient) -> Any:
        return (await client.get("/v1.0/account", headers=KEY)).json()

    attributes = play(scenario)["data"]["attributes"]
    assert set(attributes["credits"]) == {"total", "subscription", "payg", "enterprise"}
    assert attributes["api"] == {"free_calls": 500, "sizes": "all"}
