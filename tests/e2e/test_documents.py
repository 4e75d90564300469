"""What the documents tell a reader to type does what they say."""

from __future__ import annotations

import ast
import re
import shlex
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import pytest

from alphacut_client.commands import alphacut

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("*/README.md"), *ROOT.glob("docs/**/*.md")])

_FENCE = re.compile(r"^```(\w*)\s*$")
_NOT_RUN = re.compile(r"<!-- not run: (.+) -->")
_CALL = re.compile(r"(?:^|\s)(?:\S*/)?alphacut\s+(.+)$")
_IMPORTS = (ast.Import, ast.ImportFrom)
_ADDRESS = "127.0.0.1:8001"


@dataclass(frozen=True)
class Block:
    """Code in a document; ``line`` counts from 1 and is that of its first line.

    ``not_run`` is the reason that a comment in the line above the block gives: ``<!-- not run: needs ... -->``.
    """

    path: Path
    line: int
    language: str
    lines: tuple[str, ...]
    not_run: str = ""

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.line}"


def blocks(path: Path) -> Iterator[Block]:
    """Yield what stands between fences, and lines that are indented by four blanks as blocks of one line each."""
    fenced: list[str] | None = None
    language, start, before, not_run = "", 0, "", ""
    for number, line in enumerate(path.read_text().splitlines(), 1):
        fence = _FENCE.match(line)
        if fence and fenced is None:
            fenced, language, start = [], fence[1], number + 1
            reason = _NOT_RUN.fullmatch(before.strip())
            not_run = reason[1] if reason else ""
        elif fence and fenced is not None:
            yield Block(path, start, language, tuple(fenced), not_run)
            fenced = None
        elif fenced is not None:
            fenced.append(line)
        elif line.startswith("    ") and "alphacut " in line:
            yield Block(path, number, "bash", (line,))
        before = line
    assert fenced is None, f"{path} ends inside a block of code"


BLOCKS = [block for path in DOCUMENTS for block in blocks(path)]
PYTHON = {path: [block for block in BLOCKS if block.path == path and block.language == "python"] for path in DOCUMENTS}


def calls() -> Iterator[tuple[str, list[str]]]:
    """Yield every call of the command line with the place where it stands."""
    for block in BLOCKS:
        if block.language not in ("bash", "sh", "console"):
            continue
        text = re.sub(r"\\\n\s*", lambda found: " " * len(found[0]), "\n".join(block.lines))
        for line in text.splitlines():
            found = _CALL.search(line.partition(" #")[0])
            if found is not None:
                yield f"{block}: {found[0].strip()}", shlex.split(found[1])


CALLS = dict(calls())


@pytest.fixture
def photographs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in: photo.jpg, sky.jpg, and photos/ with two more."""
    (tmp_path / "photos").mkdir()
    for name, copy in (
        ("cat", "photo.jpg"),
        ("pagoda", "sky.jpg"),
        ("cat", "photos/a.jpg"),
        ("coffee", "photos/b.jpg"),
    ):
        shutil.copy(ROOT / "samples" / f"{name}.jpg", tmp_path / copy)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.triton
@pytest.mark.parametrize(
    "path", [path for path in DOCUMENTS if PYTHON[path]], ids=lambda path: str(path.relative_to(ROOT))
)
def test_the_python_of_a_document_runs_from_top_to_bottom(path: Path, server_url: str, photographs: Path) -> None:
    names: dict[str, object] = {"__name__": "__main__"}
    for block in PYTHON[path]:
        code = "\n".join(block.lines).replace(_ADDRESS, server_url)
        if block.not_run:  # what it imports must be there all the same
            code = "\n".join(ast.unparse(node) for node in ast.parse(code).body if isinstance(node, _IMPORTS))
            print(f"{block} is not run: {block.not_run}")  # noqa: T201
        # Blank lines in front, so that a traceback names the document's own line.
        exec(compile("\n" * (block.line - 1) + code, str(path), "exec"), names)  # noqa: S102


@pytest.mark.parametrize("place", CALLS)
def test_the_command_line_knows_every_call_in_the_documents(place: str) -> None:
    words = CALLS[place]
    name, *arguments = words
    if name.startswith("-"):
        assert name in ("--help", "-h", "--version"), place
        return
    command = alphacut.get_command(click.Context(alphacut), name)
    assert command is not None, f"{place}: there is no command {name}"
    if command.short_help and command.short_help.startswith("Needs "):
        pytest.skip(f"{place}: {command.short_help}")
    check(command, name, arguments, place)


def check(command: click.Command, name: str, arguments: list[str], place: str) -> None:
    """Fail for options that do not exist, words that are no choice, and what is required and missing."""
    context = click.Context(command, info_name=name)
    if isinstance(command, click.Group) and arguments and arguments[0] in command.commands:
        return check(command.commands[arguments[0]], arguments[0], arguments[1:], place)
    try:
        given, rest, _ = command.make_parser(context).parse_args(list(arguments))
    except click.UsageError as error:
        pytest.fail(f"{place}: {error.format_message()}")
    assert not rest, f"{place}: {rest} too many"
    if "--help" in arguments:
        return
    for parameter in command.params:
        value = given.get(str(parameter.name))
        if isinstance(parameter.type, click.Choice) and isinstance(value, str):
            parameter.type.convert(value, parameter, context)
        missing = parameter.required and not isinstance(value, (str, tuple, list, bool))
        assert not missing, f"{place}: {parameter.name} is missing"


def test_calls_are_found_and_wrong_ones_told_from_right_ones() -> None:
    assert any("README.md" in place and "remove photo.jpg" in place for place in CALLS)
    remove = alphacut.get_command(click.Context(alphacut), "remove")
    assert remove is not None
    check(remove, "remove", ["a.jpg", "-o", "b.png", "--background", "white"], "here")
    for wrong in (["a.jpg", "-o", "b.png", "--colour", "x"], ["a.jpg"], ["a.jpg", "b.jpg", "-o", "c"]):
        with pytest.raises((pytest.fail.Exception, AssertionError), match="here: "):
            check(remove, "remove", wrong, "here")
    with pytest.raises(click.BadParameter):
        check(remove, "remove", ["a.jpg", "-o", "b", "--format", "bmp"], "here")
