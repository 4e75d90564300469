"""``alphacut demo`` before its server starts."""

from __future__ import annotations

import os
from pathlib import Path

from click.testing import CliRunner

from alphacut_client.commands import alphacut


def test_what_is_no_file_among_the_photographs_is_told_before_a_server_is_started(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    result = CliRunner().invoke(alphacut, ["demo", "--photos", str(tmp_path), "--output", str(tmp_path / "out")])
    told = f"error: {tmp_path / 'pipe.jpg'}: got no regular file, nor a link to one; remove it\n"
    assert (result.exit_code, result.stderr) == (1, told)
