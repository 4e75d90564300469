"""Command-line help in groups, since thirty options in one list are read by nobody."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

_Decorated = TypeVar("_Decorated", bound=Callable[..., Any])


class GroupedOption(click.Option):
    """An option that knows under which heading it is listed."""

    def __init__(self, *arguments: Any, group: str, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.group = group


class GroupedCommand(click.Command):
    """A command whose help lists its options under their headings, in the order of their declaration."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write every option, those of no group last."""
        sections: dict[str, list[tuple[str, str]]] = {}
        options = [each for each in self.get_params(ctx) if isinstance(each, click.Option)]
        for option in sorted(options, key=lambda each: not isinstance(each, GroupedOption)):
            record = option.get_help_record(ctx)
            if record is not None:
                heading = option.group if isinstance(option, GroupedOption) else "Help"
                sections.setdefault(heading, []).append(record)
        for heading, records in sections.items():
            with formatter.section(heading):
                formatter.write_dl(records)


def group(heading: str) -> Callable[..., Callable[[_Decorated], _Decorated]]:
    """Return what declares options under a heading as ``click.option`` does; take one name for each heading."""

    def option(*arguments: Any, **settings: Any) -> Callable[[_Decorated], _Decorated]:
        return click.option(*arguments, cls=GroupedOption, group=heading, **settings)

    return option
