"""The address of a service on the command line."""

from __future__ import annotations

from urllib.parse import urlsplit

import click

from alphacut_client.settings import Settings
from alphacut_loadtest.traffic.scenario import protocol_of


def _usable(_: click.Context, __: click.Parameter, text: str | None) -> str | None:
    """Refuse what no request can be sent to: a load test would run to its end, and blame the server."""
    if text is None:
        return None
    try:
        if protocol_of(text) == "grpc":
            Settings(text.removeprefix("grpc://"))
        elif not urlsplit(text).hostname or urlsplit(text).port == 0:
            raise ValueError
    except ValueError as error:
        raise click.BadParameter(
            f"got {text!r}; give HOST:PORT of Triton, or http://HOST:PORT of a gateway."
        ) from error
    return text


URL_OPTION = click.option(
    "--url",
    metavar="ADDRESS",
    callback=_usable,
    help="HOST:PORT of Triton or http://... of a gateway; default: embedded.",
)
