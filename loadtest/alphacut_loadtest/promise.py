"""SLOs of the command line."""

from __future__ import annotations

import click

from alphacut_core.errors import InvalidOptionError
from alphacut_loadtest.traffic import slo
from alphacut_loadtest.traffic.slo import Slo


def promised(_: click.Context, __: click.Parameter, text: str | None) -> Slo | None:
    """Read an SLO, if there is one; what cannot be read is a wrong option, with status 2."""
    try:
        return None if text is None else slo.parse(text)
    except InvalidOptionError as error:
        raise click.BadParameter(f"{error}.") from error
