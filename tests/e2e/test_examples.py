"""Every public method of the clients shows an example, and each of them runs against a real server."""

from __future__ import annotations

import ast
import asyncio
import doctest
import inspect
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trustme
from PIL import Image

import alphacut_client
from alphacut_client import AsyncClient, Client

pytestmark = pytest.mark.triton

ADDRESS = "127.0.0.1:8001"
STARTS_A_SERVER = {"EmbeddedServer"}  # test_client.py does so


def documented() -> Iterator[tuple[str, str]]:
    """Yield names of public classes and of their methods, with what is written about them."""
    for name in alphacut_client.__all__:
        shown = getattr(alphacut_client, name)
        yield name, inspect.getdoc(shown) or ""
        for method, function in inspect.getmembers(shown, inspect.isfunction):
            if shown in (Client, AsyncClient) and not method.startswith("_"):
                yield f"{name}.{method}", inspect.getdoc(function) or ""


def example(text: str) -> str:
    """Return the code behind the prompts."""
    return "".join(example.source for example in doctest.DocTestParser().get_examples(text))


TEXTS = dict(documented())
EXAMPLES = {name: example(text) for name, text in TEXTS.items()}


@pytest.mark.parametrize("name", [name for name in EXAMPLES if "Client" in name or name in STARTS_A_SERVER])
def test_there_is_an_example(name: str) -> None:
    assert EXAMPLES[name], f"the docstring of {name} has no example"


@pytest.fixture
def names(samples: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What examples take for granted: files in the working directory, imports, a camera and a screen."""
    (tmp_path / "photos").mkdir()
    for path in ("photo.jpg", "a.jpg", "b.jpg", "photos/cat.jpg"):
        (tmp_path / path).write_bytes(samples["cat"])
    authority = trustme.CA()
    mine = authority.issue_cert("me.example")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    mine.cert_chain_pems[0].write_to_path(tmp_path / "me.pem")
    mine.private_key_pem.write_to_path(tmp_path / "me.key")
    monkeypatch.chdir(tmp_path)
    return {
        **{name: getattr(alphacut_client, name) for name in alphacut_client.__all__},
        "Image": Image,
        "Path": Path,
        "np": np,
        "array": np.asarray(Image.open("photo.jpg")),
        "camera": lambda: iter([samples["cat"]] * 2),
        "show": lambda cutout: Image.open(io.BytesIO(cutout)).load(),
    }


@pytest.mark.parametrize("name", [name for name, code in EXAMPLES.items() if code and name not in STARTS_A_SERVER])
def test_the_example_runs(name: str, names: dict[str, Any], server_url: str) -> None:
    source = EXAMPLES[name].replace(ADDRESS, server_url)
    code = compile(source, name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)

    async def run() -> None:
        async with AsyncClient(server_url, mode="lite") as names["client"]:
            if inspect.isawaitable(result := eval(code, names)):  # noqa: S307  our own docstrings
                await result

    if name.startswith("AsyncClient"):
        asyncio.run(run())
    else:
        with Client(server_url, mode="lite") as names["client"]:
            exec(code, names)  # noqa: S102
