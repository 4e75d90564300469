"""``alphacut demo``, with a stand-in for its server."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from alphacut_client.commands import alphacut


@pytest.fixture
def demo(
    serve: Callable[..., Any], stand_in: Callable[[str], None], photo: Callable[..., bytes], tmp_path: Path
) -> Callable[[Path], Result]:
    """Run the demo on one photograph, before a Triton that counts an inference after it was asked."""
    server = serve()
    server.served = {"remove_background": {}}
    stand_in(f"import sys\nprint('gRPC {server.url}', flush=True)\nsys.stdin.read()\n")
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "one.png").write_bytes(photo())

    def run(output: Path) -> Result:
        return CliRunner().invoke(alphacut, ["demo", "--photos", str(tmp_path / "photos"), "--output", str(output)])

    return run


def test_one_photograph_that_triton_has_not_counted_yet_leaves_out_its_clocks(
    demo: Callable[[Path], Result], tmp_path: Path
) -> None:
    result = demo(tmp_path / "out")
    assert result.exit_code == 0, result.exception
    assert "1 cut-outs are in" in result.stdout
    assert "server" not in result.stdout.partition("Where the time went")[2]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["contact_sheet.png", "one.png"]


def test_where_nothing_can_be_written_it_says_so_in_a_line(demo: Callable[[Path], Result], tmp_path: Path) -> None:
    (tmp_path / "out").touch()
    result = demo(tmp_path / "out")
    assert (result.exit_code, result.stderr) == (
        1,
        f"error: cannot write {tmp_path / 'out' / 'one.png'} (File exists)\n",
    )


def test_what_is_no_file_among_the_photographs_is_told_before_a_server_is_started(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    result = CliRunner().invoke(alphacut, ["demo", "--photos", str(tmp_path), "--output", str(tmp_path / "out")])
    told = f"error: {tmp_path / 'pipe.jpg'}: got no regular file, nor a link to one; remove it\n"
    assert (result.exit_code, result.stderr) == (1, told)
