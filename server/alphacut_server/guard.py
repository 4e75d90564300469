"""``python -m alphacut_server guard``: runs a Triton, as in a container, and ends it when it no longer serves.

Docker and Kubernetes restart what ends; what is still there but no longer answers Docker leaves alone.
"""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
import sys
import time
from pathlib import Path

import click

from alphacut_core import installed
from alphacut_core.errors import InferenceError, ServerStartError, UnavailableError
from alphacut_core.installed import CPU, TARGETS
from alphacut_server.health import Health
from alphacut_server.launch import LOOPBACK
from alphacut_server.leashed import Leashed
from alphacut_server.patience import Patience
from alphacut_server.prober import Prober
from alphacut_server.rounds import Rounds
from alphacut_server.wakeup import Wakeup
from alphacut_server.watch import watch

_PATIENCE = Patience(start_s=600.0, poll_s=1.0, probe_every_s=5.0)


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("--repository", type=click.Path(path_type=Path, file_okay=False), required=True, help="What it serves.")
@click.option("--target", type=click.Choice(TARGETS), default=CPU, show_default=True, help="Which engines of it.")
@click.option("--port", type=click.IntRange(1, 65535), required=True, help="Its gRPC port on this machine.")
@click.option(
    "--grace", "grace_s", type=click.FloatRange(min=0), default=30.0, show_default=True, help="Seconds to end in."
)
@click.option(
    "--start",
    "start_s",
    type=click.FloatRange(min=0),
    default=_PATIENCE.start_s,
    show_default=True,
    help="Seconds to its first right answer, plans loaded and warmed up.",
)
@click.argument("command", nargs=-1, type=click.UNPROCESSED, required=True)
def guard(
    *, repository: Path, target: str, port: int, grace_s: float, start_s: float, command: tuple[str, ...]
) -> None:
    """Run a Triton until it ends, is told to, or does not serve: then status 1, and none of its processes is left.

    It does not serve when the first right answer is late, when one of its Python processes has died, or when two probes
    in a row with a known answer failed.
    """
    patience = dataclasses.replace(_PATIENCE, start_s=start_s, end_s=grace_s)
    engines = list(installed.find_all(repository, target))
    if not engines:
        raise click.UsageError(f"there is no engine for {target} in {repository}; run: alphacut build")
    program = shutil.which(command[0])
    if program is None:
        raise click.UsageError(f"there is no program {command[0]} on PATH")
    wakeup = Wakeup(until_stdin_closes=False)
    with contextlib.closing(Health(f"{LOOPBACK}:{port}")) as health:
        rounds = Rounds(health)
        rounds.begin(engines)
        with contextlib.closing(Prober(rounds.check_next)) as prober:
            triton = Leashed([program, *command[1:]])
            try:
                reason = _guarded(triton, rounds, prober, wakeup, patience)
            finally:
                triton.stop(patience.grace_s(stopping=wakeup.stopping))
    if reason:
        _report(reason)
        sys.exit(1)


def _guarded(triton: Leashed, rounds: Rounds, prober: Prober, wakeup: Wakeup, patience: Patience) -> str | None:
    """Return why it ended or is to end, or None when it is time to stop."""
    deadline = time.monotonic() + patience.start_s
    while not wakeup.wait(patience.poll_s):
        if (status := triton.process.poll()) is not None:
            return f"Triton ended with status {status} before it answered"
        try:
            rounds.check_all()
        except UnavailableError as error:
            if time.monotonic() > deadline:
                return f"Triton did not answer within {patience.start_s:.0f} s of its start ({error})"
            continue
        except (InferenceError, ServerStartError) as error:
            return str(error)
        _report("Triton answers rightly")
        return watch(triton.process, wakeup, patience, prober, report=_report)
    return None


def _report(line: str) -> None:
    click.echo(f"alphacut: {line}", err=True)
