"""The command line: found, loaded when needed, helpful when something is missing."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from alphacut_client import main
from alphacut_client.commands import Commands, alphacut
from alphacut_core.errors import InputError


def python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout


def test_every_command_is_found_and_listed_with_its_summary() -> None:
    listed = CliRunner().invoke(alphacut, ["--help"]).output
    for command in ("build", "demo", "remove", "serve"):
        assert f"\n  {command} " in listed
    assert "which is missing" not in listed


def options(command: click.Command, path: str) -> Iterator[tuple[str, click.Option]]:
    """Every option of a command and of those below it, with what a user types."""
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            yield f"{path} {parameter.opts[-1]}", parameter
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from options(below, f"{path} {name}")


def test_every_option_says_what_it_does() -> None:
    found = dict(options(alphacut, "alphacut"))
    assert "alphacut remove --crop" in found
    assert "alphacut bench soak --output" in found
    assert [place for place, option in found.items() if not option.help] == []


@pytest.mark.parametrize("group", [[], ["bench"]])
def test_no_summary_of_a_command_is_cut_off(group: list[str]) -> None:
    assert "..." not in CliRunner().invoke(alphacut, [*group, "--help"]).output.partition("Commands:")[2]


def test_the_version_is_the_packages() -> None:
    result = CliRunner().invoke(alphacut, ["--version"], prog_name="alphacut")
    assert result.output == f"alphacut {importlib.metadata.version('alphacut')}\n"


def test_an_unknown_command_is_a_usage_error() -> None:
    assert CliRunner().invoke(alphacut, ["paint"]).exit_code == 2


def test_remove_does_not_import_what_builds_engines_or_serves() -> None:
    loaded = python(
        "import sys\n"
        "from click.testing import CliRunner\n"
        "from alphacut_client.commands import alphacut\n"
        "assert CliRunner().invoke(alphacut, ['remove', '--help']).exit_code == 0\n"
        "print(*sys.modules)"
    ).split()
    assert "alphacut_client.cli" in loaded
    assert not {"alphacut_engines", "alphacut_server", "onnx", "onnxruntime"} & set(loaded)


def test_the_client_imports_with_nothing_but_its_own_requirements() -> None:
    blocked = ("click", "rich", "scipy", "skimage", "pymatting", "onnx", "onnxruntime", "psutil", "pillow_heif")
    python(
        f"import sys; sys.modules.update(dict.fromkeys({blocked!r}))\n"
        "import alphacut_client\n"
        "assert all(hasattr(alphacut_client, name) for name in alphacut_client.__all__)"
    )


def test_without_click_or_rich_the_exact_remedy_is_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SystemExit) as ended:
        main.main()
    assert ended.value.code == 1
    assert capsys.readouterr().err == (
        "error: the command line needs click and rich; run pip install '.[cli]' in Alphacut's checkout\n"
    )


def test_a_command_whose_libraries_are_missing_is_listed_and_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Broken(importlib.metadata.EntryPoint):
        def load(self) -> click.Command:
            raise ModuleNotFoundError("No module named 'onnx'", name="onnx")

    broken = Broken("build", "alphacut_engines.cli:build", "alphacut.commands")
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda **_: importlib.metadata.EntryPoints([broken]))
    assert "Needs onnx, which is missing." in CliRunner().invoke(alphacut, ["--help"]).output
    result = CliRunner().invoke(alphacut, ["build", "--precision", "fp32"])
    assert result.exit_code == 1
    assert (
        result.stderr
        == "error: build needs onnx, which is missing; run pip install '.[engines]' in Alphacut's checkout\n"
    )


def test_a_library_that_is_missed_on_the_way_is_advice_too(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "sys.modules['onnx'] = None\n"
        "from alphacut_client.main import main\n"
        f"sys.argv = ['alphacut', 'build', '--force', '--repository', {str(tmp_path)!r}]\n"
        "main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert (
        done.stderr
        == "error: build needs onnx, which is missing; run pip install '.[engines]' in Alphacut's checkout\n"
    )


def test_an_error_of_ours_is_one_line_and_a_bug_is_not_hidden() -> None:
    def ours() -> None:
        raise InputError("got nothing; give something")

    def bug() -> None:
        raise ZeroDivisionError

    class Two(Commands):
        def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
            return click.Command(cmd_name, callback={"ours": ours, "bug": bug}[cmd_name])

    result = CliRunner().invoke(Two(), ["ours"])
    assert (result.exit_code, result.stderr) == (1, "error: got nothing; give something\n")
    assert isinstance(CliRunner().invoke(Two(), ["bug"]).exception, ZeroDivisionError)
