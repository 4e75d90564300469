"""The table of capacity results in the README, made of the files themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alphacut_core.errors import InvalidOptionError
from alphacut_loadtest import results
from alphacut_loadtest.bench.table import table
from alphacut_loadtest.capacity import compare
from alphacut_loadtest.origin import server

BEGIN, END = "<!-- capacity results: made by `alphacut capacity table --write` -->", "<!-- end of capacity results -->"
README = results.FOLDER.parent / "README.md"


def markdown(folder: Path = results.FOLDER) -> str:
    """Return a row for each ``capacity*.json`` below ``folder``, oldest first."""
    found = sorted((compare.read(path) | {"path": path} for path in folder.glob("*/capacity*.json")), key=_created)
    if not found:
        return "No result has been kept yet."
    head = ("result", "machine", "engine", "mix", "SLO", "images/s", "measured", "at 1.3x", "saturates", "proven")
    return table(head, (_row(one) for one in found))


def written(readme: str, shown: str) -> str:
    """Return a README with the table in its place.

    Raises:
        InvalidOptionError: The README has no such place.
    """
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise InvalidOptionError(f"found no place for the table; put {BEGIN} and {END} on lines of their own")
    return f"{before}{BEGIN}\n\n{shown}\n\n{END}{after}"


def _created(content: dict[str, Any]) -> str:
    return str(content["origin"]["created"])


def _row(content: dict[str, Any]) -> list[str]:
    path: Path = content["path"]
    machine = content["origin"]["machine"]
    tried = [
        f"[{path.parent.name}/{path.stem}](results/{path.parent.name}/{path.name})",
        server(content["origin"].get("url"), machine["processor"], machine["cores"]),
        content["origin"]["engine"] or "unknown",
        content["scenario"],
        content["slo"],
    ]
    if "no_capacity" in content:
        return [*tried, "none", "", "", "", f"NO: partial, {content['no_capacity']['code']}"]
    return [
        *tried,
        f"{content['capacity_per_s']:.2f}",
        f"{1000 * content['percentile_s']:.0f} ms",
        "kept" if content["broken"]["kept"] else "missed",
        content["bottleneck"]["name"],
        "yes" if content["proven"] else "NO",
    ]
