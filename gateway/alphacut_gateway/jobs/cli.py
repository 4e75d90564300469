"""``alphacut worker``: does jobs in the foreground."""

from __future__ import annotations

import os

import click

from alphacut_core import processors
from alphacut_core.errors import ContractError
from alphacut_gateway import assembly
from alphacut_gateway.app import log_to_stderr
from alphacut_gateway.settings import PREFIX, Settings


@click.command()
@click.option(
    "--url", envvar="ALPHACUT_URL", metavar="HOST:PORT", help="Triton's gRPC address, or $ALPHACUT_URL.", required=True
)
@click.option(
    "--processes", type=click.IntRange(1), default=None, help="Jobs done at a time; default: one a processor."
)
def worker(url: str, processes: int | None) -> None:
    """Do the jobs that gateways accept, until Ctrl-C or SIGTERM, and finish those that are begun.

    Takes them from the Redis that $ALPHACUT_GATEWAY_REDIS_URL names; all settings are the gateways'.
    """
    log_to_stderr()
    try:
        settings = Settings.from_environment(os.environ, triton_url=url)
    except ValueError as error:
        raise ContractError(str(error)) from error
    if not settings.redis_url:
        raise ContractError(f"workers need ${PREFIX}REDIS_URL; without Redis the gateway does jobs itself")
    assembly.check(settings)
    from alphacut_gateway.jobs.worker import create_worker  # noqa: PLC0415  an extra

    arguments = ["worker", "--loglevel=WARNING", "--pool=prefork", "--without-gossip", "--without-mingle"]
    create_worker(settings).worker_main([*arguments, f"--concurrency={processes or processors.count()}"])
