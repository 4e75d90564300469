"""Tiny datasets of discs on noise; the whole folder needs PyTorch."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

ROOT = Path(__file__).resolve().parents[3]
BUNDLED = ROOT / "build_engines" / "alphacut_engines" / "weights" / "alphacut-u2netp.onnx"
HAS_TORCH = importlib.util.find_spec("torch") is not None

collect_ignore_glob = [] if HAS_TORCH else ["test_[!i]*.py"]  # test_installed.py says why


def disc(number: int, side: int = 96) -> tuple[Image.Image, Image.Image]:
    """A bright disc on dark noise, and its mask."""
    draw = np.random.default_rng(number)
    noise = Image.fromarray(draw.integers(0, 90, (6, 6, 3)).astype(np.uint8))
    picture = noise.resize((side, side), Image.Resampling.BICUBIC)
    mask = Image.new("L", (side, side))
    left, top = draw.integers(side // 8, side // 2, 2)
    width = int(draw.integers(side // 5, side // 3))
    ImageDraw.Draw(mask).ellipse((left, top, left + width, top + width), fill=255)
    color = tuple(int(value) for value in draw.integers(170, 255, 3))
    picture.paste(Image.new("RGB", picture.size, color), (0, 0), mask)
    return picture, mask


def write_discs(folder: Path, count: int, first: int = 0) -> Path:
    (folder / "images").mkdir(parents=True, exist_ok=True)
    (folder / "masks").mkdir(exist_ok=True)
    for number in range(first, first + count):
        picture, mask = disc(number)
        picture.save(folder / "images" / f"disc{number:03}.png")
        mask.save(folder / "masks" / f"disc{number:03}.png")
    return folder


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    """Nets this small gain nothing from threads, and lose much to them on a busy machine."""
    if HAS_TORCH:
        import torch

        torch.set_num_threads(1)


@pytest.fixture
def discs(tmp_path: Path) -> Callable[[int], Path]:
    """Make a folder of as many pictures with masks."""
    return lambda count: write_discs(tmp_path / "discs", count)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep decoded pictures out of the user's cache."""
    folder = tmp_path / "home"
    monkeypatch.setenv("ALPHACUT_HOME", str(folder))
    return folder
