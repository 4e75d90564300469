"""``alphacut serve``: the embedded Triton in the foreground."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path

import click

from alphacut_core.errors import AlphacutError
from alphacut_core.tiers import MODES
from alphacut_server import environment as environments
from alphacut_server import paths, served
from alphacut_server.launch import Ports
from alphacut_server.ports import claim, free_ports
from alphacut_server.served import Wish
from alphacut_server.supervisor import Supervisor
from alphacut_server.wakeup import Wakeup, ended_by_sigterm


@click.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    metavar="PORT",
    help="gRPC port on 127.0.0.1; default: a free one.",
)
@click.option(
    "--metrics-port",
    type=click.IntRange(0, 65535),
    default=0,
    metavar="PORT",
    help="Port of the Prometheus page on 127.0.0.1; default: a free one.",
)
@click.option(
    "--repository",
    type=click.Path(path_type=Path, file_okay=False),
    help="Model repository; default: the checkout's, or $ALPHACUT_REPOSITORY.",
)
@click.option("--model", multiple=True, metavar="NAME", help="Serve this network only; may be given several times.")
@click.option(
    "--tier",
    type=click.Choice(MODES),
    multiple=True,
    help="Serve this tier only; may be given several times. Default: all that are built.",
)
@click.option("--until-stdin-closes", is_flag=True, help="Stop when standard input ends, as it does with its owner.")
def serve(
    *,
    port: int,
    metrics_port: int,
    repository: Path | None,
    model: tuple[str, ...],
    tier: tuple[str, ...],
    until_stdin_closes: bool,
) -> None:
    """Run the embedded Triton until Ctrl-C.

    Prints the line "gRPC 127.0.0.1:PORT" on standard output once the server gives right answers, and restarts
    it when it stops doing so. Engines that are built or rolled back meanwhile are taken in without a request being
    dropped. It listens on this machine only.
    """
    if port and port == metrics_port:
        raise click.UsageError(f"--metrics-port is {port} and so is --port; choose another, or 0 for a free one")
    if until_stdin_closes and sys.stdin is None:
        raise click.UsageError(
            "--until-stdin-closes waits for the end of standard input, and there is none; give it a pipe"
        )
    try:
        chosen = paths.repository(repository)
        wish = Wish(model, tier)
        _tell_served(chosen, wish)
        with ExitStack() as claims:
            for number, option in ((port, "--port"), (metrics_port, "--metrics-port")):
                if number:
                    claims.enter_context(claim(number, option))
            with ended_by_sigterm():
                installed = environments.ensure(_report)
            wakeup = Wakeup(until_stdin_closes)
            free = free_ports(2)
            ports = Ports(port or free[0], metrics_port or free[1])
            Supervisor(installed, chosen, ports, wish=wish, wakeup=wakeup, report=_report).run(lambda: _announce(ports))
    except AlphacutError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(1)


@click.command()
def environment() -> None:
    """Print the Python interpreter of the embedded server's environment, which is made first if there is none.

    For those who run the engine without Triton, as the bench does.
    """
    try:
        with ended_by_sigterm():
            installed = environments.ensure(_report)
        click.echo(installed.folder / "bin" / "python")
    except AlphacutError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(1)


def _announce(ports: Ports) -> None:
    click.echo(f"gRPC {ports.grpc_url}")
    click.echo(f"metrics {ports.metrics_url}")
    sys.stdout.flush()


def _tell_served(repository: Path, wish: Wish) -> None:
    engines = served.find(repository, wish)
    _report(f"serving {', '.join(engine.pipeline.ensemble for engine in engines)}")
    if missing := served.left_out(engines, wish):
        _report(f"not built and left out: {', '.join(missing)}; alphacut build --tier all makes them")


def _report(line: str) -> None:
    click.echo(f"alphacut: {line}", err=True)
