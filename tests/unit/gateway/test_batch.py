"""``POST /v1/batch``: many images, a zip that grows, and archives that mean harm."""

from __future__ import annotations

import asyncio
import io
import json
import struct
import time
import zipfile
import zlib
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from alphacut_core.errors import UnavailableError
from alphacut_gateway.batch import names
from alphacut_gateway.batch.names import Answers
from alphacut_gateway.refusals import MalformedRequestError

URL = "/v1/batch"
ZIP = {"content-type": "application/zip"}


def packed(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def opened(response: httpx.Response) -> tuple[dict[str, bytes], list[dict[str, Any]]]:
    """Return the answers by name, and what the manifest says."""
    assert response.status_code == 200, response.text
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        assert archive.testzip() is None
        files = {name: archive.read(name) for name in archive.namelist()}
    return files, json.loads(files.pop("manifest.json"))["images"]


def test_a_form_of_many_comes_back_as_a_zip_and_a_bad_one_costs_only_itself(post: Any, photo: bytes) -> None:
    files = [("file", ("a.jpg", photo)), ("file", ("bad.jpg", b"hello")), ("file", ("b.png", photo))]
    answers, told = opened(post(f"{URL}?format=webp", files=files))
    assert sorted(answers) == ["a.webp", "b.webp"]
    with Image.open(io.BytesIO(answers["a.webp"])) as cutout:
        assert (cutout.mode, cutout.size) == ("RGBA", (40, 20))
    by_name = {each["image"]: each for each in told}
    assert by_name["bad.jpg"]["error"]["code"] == "image-unsupported"
    assert by_name["b.png"] == {"image": "b.png", "file": "b.webp"}


def read_forwards(content: bytes) -> dict[str, bytes]:
    """Read a zip as whoever cannot see its end does: by the heads of its entries, which have to name their sizes."""
    found, at = {}, 0
    while content.startswith(b"PK\x03\x04", at):
        flags, method, *_, crc, packed, size, n_name, n_extra = struct.unpack_from("<HHHHIIIHH", content, at + 6)
        assert (flags & 0x8, method, packed) == (0, zipfile.ZIP_STORED, size)
        begin = at + 30 + n_name + n_extra
        found[content[at + 30 : at + 30 + n_name].decode()] = content[begin : begin + size]
        assert zlib.crc32(content[begin : begin + size]) == crc
        at = begin + size
    return found


def test_the_zip_is_read_from_front_to_back_too(post: Any, photo: bytes) -> None:
    response = post(URL, files=[("file", (name, photo)) for name in ("a.png", "ü.png")])
    found = read_forwards(response.content)
    assert list(found)[-1] == "manifest.json"
    assert found.items() >= opened(response)[0].items()
    assert len(found) == 3


def test_a_zip_keeps_its_folders_and_leaves_out_what_systems_add(post: Any, photo: bytes) -> None:
    body = packed({"summer/1.jpg": photo, "__MACOSX/summer/._1.jpg": b"x", "summer/.DS_Store": b"x", "2.jpg": photo})
    answers, told = opened(post(URL, content=body, headers=ZIP))
    assert sorted(answers) == ["2.png", "summer/1.png"]
    assert len(told) == 2


def test_equal_names_are_told_apart(post: Any, photo: bytes) -> None:
    files = [("file", (name, photo)) for name in ("a.jpg", "a.png", "A.webp")]
    answers, _ = opened(post(URL, files=files))
    assert len({name.casefold() for name in answers}) == 3


@pytest.mark.parametrize(("one", "other"), [("a", "A"), ("é", "e\u0301"), ("É", "e\u0301"), ("straße", "STRASSE")])
def test_names_that_windows_or_macos_take_for_one_are_told_apart(one: str, other: str) -> None:
    answers = Answers("png")
    assert [answers.name(f"{name}.jpg") for name in (one, other)] == [f"{one}.png", f"{other}-2.png"]


@pytest.mark.parametrize(
    "name",
    [
        *("/etc/passwd", "../up.jpg", "a/../../b.jpg", "C:/x.jpg", "a\\b.jpg", "a//b.jpg", "x" * 300, "a/" * 9 + "b"),
        *("a\tb.jpg", "a\x1b[2Jb.jpg", "a\u2028b.jpg", "a\x85b.jpg", "cat\u202egpj.exe", "a\u2066b.jpg"),
    ],
)
def test_dangerous_names_refuse_the_whole_batch(post: Any, predictor: Any, photo: bytes, name: str) -> None:
    response = post(URL, content=packed({"fine.jpg": photo, name: photo}), headers=ZIP)
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "request-malformed"
    assert predictor.pictures == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (packed({"a.bmp": bytes(20_000_000)}), 413),
        (packed({f"{number}.jpg": b"x" for number in range(6)}), 413),
        (packed({}), 400),
        (b"PK\x03\x04 no zip at all", 400),
        (b"", 400),
    ],
)
def test_bombs_and_rubbish_are_refused_before_anything_is_unpacked(post: Any, body: bytes, status: int) -> None:
    response = post(URL, {"batch_images": 5}, content=body, headers=ZIP)
    assert response.status_code == status, response.text


@pytest.mark.parametrize(
    "name",
    ["Screenshot 2026-01-01 at 9.41.00\u202fAM.png", "a\u00a0b.png", "猫\u3000犬.png", "👩\u200d🦰.png", "קיץ.png"],
)
def test_everyday_names_of_all_languages_are_kept(post: Any, photo: bytes, name: str) -> None:
    answers, _ = opened(post(URL, content=packed({name: photo}), headers=ZIP))
    assert list(answers) == [name]


def directory(entry: bytes, number: int) -> bytes:
    """Return a zip of entries without contents."""
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, number & 0xFFFF, number & 0xFFFF, len(entry) * number, 0, 0)
    return entry * number + end


def entry(extra: bytes = b"") -> bytes:
    return (
        struct.pack("<4s6H3L5H2L", b"PK\1\2", 20, 20, 0, 0, 0, 0, 0, 1, 1, 1, len(extra), 0, 0, 0, 0, 0) + b"a" + extra
    )


@pytest.mark.parametrize(
    "body",
    [directory(entry(), 500_000), directory(entry(b"\xff\xff\0\0" * 16_000), 500)],
    ids=["many files", "much said of each"],
)
def test_a_long_list_of_files_is_refused_unread(post: Any, body: bytes) -> None:
    started = time.process_time()
    response = post(URL, content=body, headers=ZIP)
    assert time.process_time() - started < 1.5  # it took five seconds and more
    assert (response.status_code, response.json()["error"]["code"]) == (413, "image-too-large")


def test_as_many_files_as_are_accepted_may_have_long_names(post: Any) -> None:
    body = packed({f"{'ü' * 190}{number}": b"x" for number in range(500)})
    _, told = opened(post(URL, content=body, headers=ZIP))
    assert len(told) == 500


def test_an_entry_that_lies_about_its_size_is_refused_alone(post: Any, photo: bytes) -> None:
    body = bytearray(packed({"lie.jpg": bytes(1000), "fine.jpg": photo}, zipfile.ZIP_STORED))
    directory = body.rindex(b"PK\x01\x02", 0, body.rindex(b"PK\x01\x02"))
    body[directory + 24 : directory + 28] = (5).to_bytes(4, "little")  # the size it announces
    answers, told = opened(post(URL, content=bytes(body), headers=ZIP))
    assert list(answers) == ["fine.png"]
    assert any("error" in each for each in told)


def test_a_rarely_compressed_entry_is_refused_alone(post: Any, photo: bytes) -> None:
    body = packed({"rare.jpg": photo}, zipfile.ZIP_LZMA)
    _, told = opened(post(URL, content=body, headers=ZIP))
    assert told[0]["error"]["code"] == "image-undecodable"


def test_an_encrypted_entry_is_refused_alone(post: Any, photo: bytes) -> None:
    body = bytearray(packed({"secret.jpg": photo, "fine.jpg": photo}, zipfile.ZIP_STORED))
    body[6] |= 0x1  # of the first entry's own head
    body[body.index(b"PK\x01\x02") + 8] |= 0x1  # and of its line in the directory
    answers, told = opened(post(URL, content=bytes(body), headers=ZIP))
    assert list(answers) == ["fine.png"]
    assert [each["error"]["code"] for each in told if each["image"] == "secret.jpg"] == ["image-undecodable"]


def test_an_empty_or_too_large_entry_is_refused_alone(post: Any, photo: bytes) -> None:
    body = packed({"empty.jpg": b"", "large.jpg": bytes(2_000_001), "fine.jpg": photo}, zipfile.ZIP_STORED)
    answers, told = opened(post(URL, {"max_bytes": 2_000_000}, content=body, headers=ZIP))
    assert list(answers) == ["fine.png"]
    codes = {each["image"]: each["error"]["code"] for each in told if "error" in each}
    assert codes == {"empty.jpg": "image-empty", "large.jpg": "image-too-large"}


def test_too_many_files_in_a_form_are_refused(post: Any, photo: bytes) -> None:
    response = post(URL, {"batch_images": 3}, files=[("file", (f"{i}.png", photo)) for i in range(4)])
    assert response.status_code == 400


def test_a_server_that_goes_away_is_told_for_each_image(post: Any, predictor: Any, photo: bytes) -> None:
    predictor.error = UnavailableError("gone")
    answers, told = opened(post(URL, files=[("file", ("a.png", photo))]))
    assert answers == {}
    assert told[0]["error"]["code"] == "unavailable"


def test_no_more_images_are_begun_than_fit(play: Any, predictor: Any) -> None:
    held: list[int] = []
    pictures = {f"{i}.png": _png(i) for i in range(12)}

    async def scenario(client: httpx.AsyncClient) -> httpx.Response:
        predictor.gate = asyncio.Event()
        asked = asyncio.ensure_future(client.post(URL, content=packed(pictures), headers=ZIP))
        await predictor.arrived.wait()
        for _ in range(200):
            await asyncio.sleep(0)
        held.append(len(predictor.pictures))
        predictor.gate.set()
        return await asked

    answers, _ = opened(play(scenario, threads=2))
    assert len(answers) == 12
    assert held[0] <= 4


def _png(shade: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (30, 20), (shade, 0, 0)).save(buffer, "PNG")
    return buffer.getvalue()


@given(st.text(max_size=60))
def test_a_name_that_passes_stays_inside_any_folder(name: str) -> None:
    try:
        safe = names.check(name)
    except MalformedRequestError:
        return
    parts = safe.split("/")
    assert not safe.startswith("/")
    assert all(part not in ("", ".", "..") for part in parts)
    assert "\\" not in Answers("png").name(safe)
