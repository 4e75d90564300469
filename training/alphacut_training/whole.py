"""Small files that are there whole or not at all."""

from __future__ import annotations

from pathlib import Path


def write(path: Path, content: str) -> None:
    """Write text; whoever reads the file meanwhile, or after a kill, finds what was there before."""
    partial = path.with_name(f".{path.name}.part")
    partial.write_text(content)
    partial.replace(path)
