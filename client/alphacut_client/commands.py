"""The group of all ``alphacut`` commands; each is imported only when it is called or described."""

from __future__ import annotations

import importlib.metadata
from typing import IO, Any

import click

from alphacut_core.errors import AlphacutError

ENTRY_POINTS = "alphacut.commands"
"""Every installed package brings its commands under this name, so that none has to import another."""

_EXTRAS = {
    "alphacut_engines": "engines",
    "alphacut_gateway.jobs": "jobs",
    "alphacut_gateway": "gateway",
    "alphacut_loadtest": "loadtest",
    "alphacut_training": "training",
}
"""The extra that brings what a module's commands import, the narrower module first; ``cli`` for all others."""


class CommandError(click.ClickException):
    """One line on standard error and exit status 1, instead of a traceback."""

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the message as ``error: ...``."""
        click.echo(f"error: {self.format_message()}", file=file, err=file is None)


class SummarisedGroup(click.Group):
    """A group whose help gives the first sentence of each command whole, where click would cut it off."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the names of all commands and what each does."""
        found = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.get_short_help_str(limit=300)) for name, command in found if command])


class Commands(SummarisedGroup):
    """Commands found among the entry points of installed packages."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return sorted(importlib.metadata.entry_points(group=ENTRY_POINTS).names)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command; None if there is none of that name."""
        found = importlib.metadata.entry_points(group=ENTRY_POINTS, name=cmd_name)
        if not found:
            return None
        try:
            command: click.Command = next(iter(found)).load()
        except ModuleNotFoundError as error:
            return _unusable(cmd_name, error)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the chosen command; errors that explain themselves are shown without a traceback."""
        try:
            return super().invoke(ctx)
        except AlphacutError as error:
            raise CommandError(str(error)) from error
        except ModuleNotFoundError as error:  # of which some are seen only when a command is under way
            if str(error.name).startswith("alphacut_"):
                raise
            raise CommandError(_advice(str(ctx.invoked_subcommand), str(error.name))) from error


def extra(module: str) -> str:
    """Return the extra of the distribution that brings what the commands in a module need."""
    return next((name for prefix, name in _EXTRAS.items() if f"{module}.".startswith(f"{prefix}.")), "cli")


def _advice(command: str, missing: str) -> str:
    entry = next(iter(importlib.metadata.entry_points(group=ENTRY_POINTS, name=command)))
    needed = extra(entry.module)
    return f"{command} needs {missing}, which is missing; run pip install '.[{needed}]' in Alphacut's checkout"


def _unusable(name: str, error: ModuleNotFoundError) -> click.Command:
    """Stand in for a command whose libraries are missing, so that the others can still be listed."""

    def refuse(_arguments: tuple[str, ...]) -> None:
        raise error

    anything = click.Argument(["_arguments"], nargs=-1, type=click.UNPROCESSED)
    settings = {"ignore_unknown_options": True}
    return click.Command(name, settings, refuse, [anything], short_help=f"Needs {error.name}, which is missing.")


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="alphacut", message="%(prog)s %(version)s")
def alphacut() -> None:
    """Remove the background of images."""
