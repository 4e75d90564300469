"""The API's description, as people read it."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.triton


def rows(page: Any, operation: str, caption: str) -> dict[str, list[str]]:
    section = page.locator("section", has=page.get_by_role("heading", name=operation, exact=True))
    section.wait_for()
    table = section.locator("table", has=page.locator("caption", has_text=caption))
    return {row.locator("th").inner_text(): row.locator("td").all_inner_texts() for row in table.locator("tr").all()}


def test_it_says_what_each_parameter_may_be_and_what_is_meant_without(page: Any, gateway: str) -> None:
    page.goto(f"{gateway}/docs")
    query = rows(page, "POST /remove", "In the query")
    assert query["format"] == [
        "png, webp, avif or jpeg; default png",
        "File format of the answer; jpeg needs an opaque bg.",
    ]
    assert query["threshold"][0] == "a whole number, 1 to 255"
    assert query["crop"][0] == "true or false; default false"
    assert rows(page, "POST /remove", "As the body") == {
        "multipart/form-data": ["fields, of which file has to be there"],
        "image/*": ["the bytes of a file"],
    }
    assert list(rows(page, "GET /v1/jobs/{job_id}", "In the path")) == ["job_id"]
    assert rows(page, "POST /v1.0/removebg", "Fields")["format"][0] == "auto, png, jpg, zip or webp"
    assert "undefined" not in page.locator("main").inner_text()


def test_an_operation_has_an_address_of_its_own(page: Any, gateway: str) -> None:
    page.goto(f"{gateway}/docs#get-metrics")
    page.locator("#get-metrics").wait_for()
    assert page.evaluate("document.getElementById('get-metrics').getBoundingClientRect().top < innerHeight")
    page.get_by_role("link", name="POST /v1/batch", exact=True).click()
    assert page.evaluate("location.hash") == "#post-v1-batch"
    assert page.locator("#post-v1-batch h2").inner_text() == "POST /v1/batch"
