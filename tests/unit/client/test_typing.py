"""What type checkers know of results, told by mypy itself: the kind that went in, or the one that was asked for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]

KINDS = """
from pathlib import Path
from PIL import Image
from typing_extensions import assert_type

from alphacut_client import AsyncClient, Client
from alphacut_core.errors import AlphacutError
from alphacut_core.geometry import Pixels


def threads(client: Client, array: Pixels, picture: Image.Image, paths: list[Path]) -> None:
    assert_type(client.remove("photo.jpg"), bytes)
    assert_type(client.mask(array), Pixels)
    assert_type(client.remove(b"", returns=Image.Image), Image.Image)
    assert_type(client.remove_batch(paths), list[bytes])
    assert_type(client.remove_batch([picture], progress=print), list[Image.Image])
    assert_type(client.remove_batch(paths, returns=Image.Image), list[Image.Image])
    assert_type(client.mask_batch([array], on_error="return"), list[Pixels | AlphacutError])
    assert_type(client.mask_batch(paths, on_error="return", threshold=9), list[bytes | AlphacutError])


async def loop(client: AsyncClient, array: Pixels, picture: Image.Image, paths: list[Path]) -> None:
    assert_type(await client.remove("photo.jpg"), bytes)
    assert_type(await client.mask(array), Pixels)
    assert_type(await client.remove(b"", returns=Image.Image), Image.Image)
    assert_type(await client.remove_batch(paths), list[bytes])
    assert_type(await client.remove_batch([picture], progress=print), list[Image.Image])
    assert_type(await client.remove_batch(paths, returns=Image.Image), list[Image.Image])
    assert_type(await client.mask_batch([array], on_error="return"), list[Pixels | AlphacutError])
    assert_type(await client.mask_batch(paths, on_error="return", threshold=9), list[bytes | AlphacutError])
"""
WRONG = """
from alphacut_client import Client


def calls(client: Client) -> None:
    client.mask_batch([b""], background="white")
    client.remove_batch(["photo.jpg"], on_error="ignore")
    client.remove("photo.jpg", mode="fast")
    client.remove(3)
"""


def mypy(code: str, folder: Path) -> list[str]:
    """Return what strict mypy says about a module."""
    module = folder / "caller.py"
    module.write_text(code)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", str(ROOT / "pyproject.toml"), str(module)],
        cwd=ROOT,  # whose cache knows the packages already
        capture_output=True,
        text=True,
        check=False,
    )
    return [line for line in done.stdout.splitlines() if ": error:" in line]


def test_results_have_the_kind_that_went_in_or_was_asked_for(tmp_path: Path) -> None:
    assert mypy(KINDS, tmp_path) == []


def test_calls_that_cannot_work_are_found_before_they_are_made(tmp_path: Path) -> None:
    lines = sorted({int(line.split(":")[1]) for line in mypy(WRONG, tmp_path)})
    assert lines == [6, 7, 8, 9]
