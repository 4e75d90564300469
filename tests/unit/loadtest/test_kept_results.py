"""``--keep`` and ``--write`` where there is no checkout to write into."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from alphacut_loadtest import results
from alphacut_loadtest.capacity.cli import capacity
from alphacut_loadtest.load.cli import load


@pytest.mark.parametrize(
    ("command", "arguments"),
    [(load, ["smoke", "--keep"]), (capacity, ["--keep"]), (capacity, ["table", "--write"])],
    ids=["load", "capacity", "table"],
)
def test_an_installation_without_a_checkout_says_so_before_it_measures(
    command: click.Command, arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "FOLDER", tmp_path / "loadtest" / "results")
    done = CliRunner().invoke(command, [*arguments, *(["--url", "127.0.0.1:1"] if "table" not in arguments else [])])
    assert done.exit_code == 2
    assert "this is an installation" in done.output
    assert list(tmp_path.iterdir()) == []
