"""The documents lead to what there is, and leave no module out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from alphacut_core.agreement import BOUNDS, TIER_BOUNDS, Bounds

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = sorted(path for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith((".", "out")))
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(path for folder in FOLDERS for path in folder.rglob("*.md"))])
MODULES = {path.name for folder in FOLDERS for path in folder.rglob("*.py")}
PACKAGES = {path.parent.parent.name: path.parent for path in ROOT.glob("*/alphacut_*/__init__.py")}
LISTED = ("client", "core", "server")
"""Source roots whose README has a table of all modules; the other packages have too many, or folders of them."""


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def anchors(text: str) -> set[str]:
    """What a heading can be linked by, as GitHub makes it."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def dead_links(path: Path) -> list[str]:
    dead = []
    for link in re.findall(r"\]\(([^)\s]+)\)", path.read_text()):
        if link.startswith("https://"):
            continue
        file, _, anchor = link.partition("#")
        target = (path.parent / file) if file else path
        if not target.exists() or (anchor and anchor not in anchors(target.read_text())):
            dead.append(link)
    return dead


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_links_lead_to_files_and_headings_that_there_are(path: Path) -> None:
    assert dead_links(path) == []


def test_a_dead_link_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# One heading\n[a](page.md#one-heading) [b](#two) [c](gone.md) [d](https://example.org)\n")
    assert dead_links(page) == ["#two", "gone.md"]


@pytest.mark.parametrize("root", sorted(PACKAGES))
def test_modules_that_a_readme_names_are_there(root: str) -> None:
    named = re.findall(r"`(\w+\.py)`", (ROOT / root / "README.md").read_text())
    assert [module for module in named if module not in MODULES] == []


@pytest.mark.parametrize("root", LISTED)
def test_the_table_of_modules_leaves_none_out(root: str) -> None:
    named = re.findall(r"`(\w+\.py)`", (ROOT / root / "README.md").read_text())
    modules = {path.name for path in PACKAGES[root].glob("*.py") if not path.name.startswith("__")}
    assert modules - set(named) == set()


def test_engines_are_judged_by_the_bounds_that_the_readme_states() -> None:
    text = (ROOT / "build_engines" / "README.md").read_text()
    gate = re.findall(r"^\| (FP16|BF16|INT8) \| ([\d.]+) \| ([\d.]+) \|$", text, re.MULTILINE)
    tiers = re.findall(r"^\| `(\w+)`, \d+ pixels \| [\d.]+ \| (\d+) \| [\d.]+ \| ([\d.]+) \|$", text, re.MULTILINE)
    stated = {name.lower(): Bounds(float(difference), float(iou)) for name, difference, iou in (*gate, *tiers)}
    assert {"fp32": BOUNDS["fp32"], **stated} == {**BOUNDS, **TIER_BOUNDS}
