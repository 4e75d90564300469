"""Wheels that tests make by hand."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path


def wheel(folder: Path, name: str, files: Mapping[str, str] | None = None, needs: Sequence[str] = ()) -> Path:
    """Write version 1.0 of a package as a wheel, with these files and requirements; return its path."""
    stem = f"{name.replace('-', '_')}-1.0"
    lines = ["Metadata-Version: 2.1", f"Name: {name}", "Version: 1.0", *(f"Requires-Dist: {need}" for need in needs)]
    about = {
        "METADATA": "\n".join(lines) + "\n",
        "WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "RECORD": "",
    }
    path = folder / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for file, content in (files or {}).items():
            archive.writestr(file, content)
        for file, content in about.items():
            archive.writestr(f"{stem}.dist-info/{file}", content)
    return path
