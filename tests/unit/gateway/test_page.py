"""The page's files: a fixed set, under a strict policy, with nothing from other hosts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx
import pytest

PAGE = Path(__file__).resolve().parents[3] / "gateway" / "alphacut_gateway" / "page"


@pytest.fixture
def get(play: Any) -> Any:
    return lambda url: play(lambda client: client.get(url))


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("/", "text/html"),
        ("/docs", "text/html"),
        ("/assets/app.js", "text/javascript"),
        ("/assets/worker.js", "text/javascript"),
        ("/assets/editor.css", "text/css"),
    ],
)
def test_the_page_is_served_under_a_strict_policy(get: Any, url: str, kind: str) -> None:
    response: httpx.Response = get(url)
    assert response.headers["content-type"].startswith(kind)
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("url", ["/", "/docs", "/assets/app.js"])
def test_a_file_that_the_browser_has_is_not_sent_again(play: Any, url: str) -> None:
    async def scenario(client: httpx.AsyncClient) -> None:
        tag = (await client.get(url)).headers["etag"]
        again = await client.get(url, headers={"If-None-Match": tag})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert "default-src 'none'" in again.headers["content-security-policy"]
        assert (await client.get(url, headers={"If-None-Match": '"another"'})).status_code == 200

    play(scenario)


@pytest.mark.parametrize("name", ["..%2fapp.py", "%2e%2e/app.py", "../settings.py", "nothing.js", "%00", "/etc/passwd"])
def test_no_other_file_is_served(get: Any, name: str) -> None:
    assert get(f"/assets/{name}").status_code == 404


def test_every_file_is_used_and_every_file_used_is_there() -> None:
    used = {"index.html", "docs.html"}
    for path in PAGE.iterdir():
        text = path.read_text()
        used |= set(re.findall(r"assets/([\w.]+)", text)) | set(re.findall(r"""["']\./([\w.]+)["']""", text))
    assert used == {path.name for path in PAGE.iterdir()}


@pytest.mark.parametrize("path", sorted(PAGE.iterdir()), ids=lambda path: path.name)
def test_no_file_names_another_host_or_brings_inline_code(path: Path) -> None:
    text = path.read_text().replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"(?:https?:)?//[\w.-]+\.\w", text)
    assert not re.search(r"\son\w+=|\sstyle=|<script>|<style>|eval\(|innerHTML", text)


@pytest.mark.parametrize("path", sorted(PAGE.iterdir()), ids=lambda path: path.name)
def test_the_page_may_lie_below_any_path_of_a_proxy(path: Path) -> None:
    assert re.findall(r"""(?:href|src)="/|["'`(]/\w[\w/.]*["'`?)]""", path.read_text()) == []


def test_the_pages_files_are_short_too() -> None:
    lines = {path.name: len(path.read_text().splitlines()) for path in PAGE.iterdir()}
    assert max(lines.values()) <= 200, lines
    assert sorted(lines.values())[len(lines) // 2] <= 100


def test_no_name_is_given_to_two_elements() -> None:
    names = re.findall(r'\sid="([\w-]+)"', (PAGE / "index.html").read_text())
    assert len(names) == len(set(names))
