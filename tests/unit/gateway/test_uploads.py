"""Bodies that are no more than text, and meant to keep everybody else waiting or to end in a traceback."""

from __future__ import annotations

import base64
import time
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

import pytest

from alphacut_gateway import multipart

PART = b'--b\r\nContent-Disposition: form-data; name="%b"\r\n%b\r\n%b\r\n--b--\r\n'
MANY = 2_000_000
AT_ONCE_S = 1.5
"""Each of these took from four seconds to minutes before it was refused early."""


def form(charset: str = "", boundary: str = "b") -> dict[str, str]:
    return {"content-type": f"multipart/form-data; boundary={boundary}" + (f"; charset={charset}" if charset else "")}


async def sent(body: bytes) -> AsyncIterator[bytes]:
    """The body in pieces, as they come from a socket."""
    for at in range(0, len(body), 65_536):
        yield body[at : at + 65_536]


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (form("punycode"), PART % (b"x-", b"", b"a" * 100_000 + b"-9c" + b"a" * 100_000)),
        (form(), PART % (b"x", b'X: "' + b"a" * 8 * MANY + b'"\r\n', b"")),
        (form(), PART % (b'x"' + b";a=b" * MANY + b';c="', b"", b"")),
        (form(), PART % (b"x", b"a:b\r\n" * MANY, b"")),
        (form(), PART.replace(b"--b--\r\n", b"") % (b'x"; filename="a"' + b";a=b" * 900 + b';c="', b"", b"") * 400),
        (form(), b"\r\n" * 5 * MANY + b"--c"),
    ],
    ids=["charset", "one long header", "many parameters", "many headers", "many parts", "line ends"],
)
def test_a_form_that_would_keep_others_waiting_is_refused_at_once(
    post: Any, headers: dict[str, str], body: bytes
) -> None:
    started = time.process_time()
    response = post("/v1/batch", content=sent(body), headers=headers)
    assert time.process_time() - started < AT_ONCE_S
    assert (response.status_code, response.json()["error"]["code"]) == (400, "request-malformed")


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("json", b'{"a":[' + b"[]," * 3 * MANY + b"[]]}"),
        ("json", b'{"image_url":' + b"{" * MANY),
        ("x-www-form-urlencoded", b"image_url=" + b"%41" * 3 * MANY),
        ("x-www-form-urlencoded", b"a=&" * 3 * MANY),
    ],
)
def test_text_of_too_many_pieces_is_refused_before_it_is_parsed(post: Any, kind: str, body: bytes) -> None:
    headers = {"content-type": f"application/{kind}", "X-API-Key": "k"}
    started = time.process_time()
    response = post("/v1.0/removebg", content=body, headers=headers)
    assert time.process_time() - started < AT_ONCE_S
    assert (response.status_code, response.json()["errors"][0]["code"]) == (400, "bad_request")


def test_json_is_parsed_only_where_it_is_wanted(post: Any, photo: bytes) -> None:
    assert post("/remove", content=photo, headers={"content-type": "application/json"}).status_code == 200


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (form(), b"xx"),
        (form(boundary="b" * 300), b"--b"),
        (form("undefined"), PART % (b"x", b"", b"x")),
        (form("raw_unicode_escape"), PART % (b"x", b"", b"\\ud800")),
        (form("utf-8"), PART % (b"x" * multipart._MAX_HEAD_BYTES, b"", b"x")),
    ],
)
def test_a_form_that_cannot_be_read_is_the_callers_fault(post: Any, headers: dict[str, str], body: bytes) -> None:
    response = post("/remove", content=body, headers=headers)
    assert (response.status_code, response.json()["error"]["code"]) == (400, "request-malformed")


def test_fields_may_each_end_with_the_sign_between_them(post: Any, photo: bytes) -> None:
    fields = urlencode({"image_file_b64": base64.b64encode(photo), "size": "auto"})
    headers = {"content-type": "application/x-www-form-urlencoded", "X-API-Key": "k"}
    response = post("/v1.0/removebg", content=f"{fields}&".encode(), headers=headers)
    assert response.status_code == 200, response.text


@pytest.mark.parametrize("body", [b'{"\\ud800":"x"}', b'{"image_url":"\\ud800"}'])
def test_half_a_character_in_json_is_the_callers_fault(post: Any, body: bytes) -> None:
    headers = {"content-type": "application/json", "X-API-Key": "k"}
    response = post("/v1.0/removebg", content=body, headers=headers)
    assert (response.status_code, response.json()["errors"][0]["code"]) == (400, "bad_request")


@pytest.mark.parametrize("charset", ["", "utf-8", "UTF-8", "us-ascii", "iso-8859-1"])
def test_a_form_in_an_everyday_charset_is_read(post: Any, photo: bytes, charset: str) -> None:
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a;b.png"\r\n\r\n'
    response = post("/remove", content=b"\r\n" + head + photo + b"\r\n--b--\r\n", headers=form(charset))
    assert response.status_code == 200, response.text


FILE = b'--b\r\nContent-Disposition: form-data; name="file"; filename="%b.png"\r\n\r\n%b\r\n'
FIELD = b'--b\r\nContent-Disposition: form-data; name="bg"\r\n\r\nred\r\n'


@pytest.mark.parametrize("url", ["/remove", "/v1/batch"])
@pytest.mark.parametrize("n_bytes_missing", [8, 10])
def test_a_form_that_ends_within_a_part_is_not_read_without_it(
    post: Any, photo: bytes, url: str, n_bytes_missing: int
) -> None:
    last = FILE % (b"b", photo) if "batch" in url else FIELD
    body = FILE % (b"a", photo) + last + b"--b--\r\n"
    assert post(url, content=body, headers=form()).status_code == 200
    response = post(url, content=body[:-n_bytes_missing], headers=form())
    assert (response.status_code, response.json()["error"]["code"]) == (400, "request-malformed")


def test_a_form_without_its_very_last_line_is_read(post: Any, photo: bytes) -> None:
    assert post("/remove", content=FILE % (b"a", photo) + b"--b\r\n", headers=form()).status_code == 200
