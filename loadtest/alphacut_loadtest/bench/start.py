"""``alphacut bench start``: from nothing to the first answer, in turn with rembg, stage by stage."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import click
import psutil

from alphacut_core import bundled
from alphacut_loadtest import origin as origins
from alphacut_loadtest.bench import contenders, pictures, places, published, start_log, targets
from alphacut_loadtest.bench.contenders import Contender
from alphacut_loadtest.bench.pictures import Shot
from alphacut_loadtest.bench.places import FOLDER, REPOSITORY_OPTION, WEIGHTS_OPTION
from alphacut_loadtest.bench.process import WorkerProcess
from alphacut_loadtest.bench.subject import Setting
from alphacut_loadtest.bench.summary import Spread
from alphacut_loadtest.bench.table import table
from alphacut_loadtest.bench.table import targets as targets_table
from alphacut_loadtest.bench.targets import Outcome
from alphacut_loadtest.bench.usage import ProcessTree
from alphacut_loadtest.origin import Origin

_CONTENDERS = "rembg-mask,mask-encoded"
_SHOT = Shot("dahlia", 640, 427)


@dataclass(frozen=True, slots=True)
class Start:
    """One start.

    Attributes:
        contender: Whose.
        total_s: From the first import to the first answer, in a fresh process.
        stages_s: Alphacut's, one after the other; empty for others.
        models_s: How long Triton took with each model; they load side by side.
    """

    contender: str
    total_s: float
    stages_s: Mapping[str, float]
    models_s: Mapping[str, float]


@click.command()
@click.option("--rounds", type=click.IntRange(1), default=5, show_default=True, help="Starts of each.")
@click.option("--output", type=FOLDER, default=Path("out/bench-start"), show_default=True, help="For the results.")
@WEIGHTS_OPTION
@REPOSITORY_OPTION
def start(*, rounds: int, output: Path, weights: Path, repository: Path) -> None:
    """Start Alphacut's embedded server and rembg's session in turn, each in a fresh process, to the first mask.

    Writes start.json and start.md, and prints the second.
    """
    places.engine(repository, weights)
    origin = origins.here(repository)
    starts = []
    with tempfile.TemporaryDirectory(prefix="alphacut-start-") as scratch:
        folder = Path(scratch)
        (folder / "pictures").mkdir()
        found = pictures.make(bundled.SAMPLES, folder / "pictures", (_SHOT,))
        setting = Setting(Path(shutil.copy(weights, folder)), repository.resolve(), folder, [found[0].path])
        for number in range(rounds):
            chosen = contenders.choose(_CONTENDERS)
            for contender in chosen if number % 2 else reversed(chosen):
                starts.append(_once(contender, setting))
                click.echo(f"round {number + 1} of {rounds}: {contender.name} {starts[-1].total_s:.2f} s", err=True)
    published.publish(output, "start", json=lambda: to_json(origin, starts), md=lambda: markdown(origin, starts))


def to_json(origin: Origin, starts: Sequence[Start]) -> str:
    """Return every start."""
    content = {"schema": 1, **asdict(origin), "starts": [asdict(one) for one in starts]}
    return json.dumps({**content, "targets": [asdict(outcome(starts))]}, indent=1)


def outcome(starts: Sequence[Start]) -> Outcome:
    """Hold Alphacut's median against the target."""
    contender = contenders.choose(_CONTENDERS)[-1].name
    spread = Spread.of(one.total_s for one in starts if one.contender == contender)
    wanted = f"<= {targets.MAX_START_S:g} s"
    return Outcome(targets.START, wanted, contender, _seconds(spread), spread.median <= targets.MAX_START_S)


def markdown(origin: Origin, starts: Sequence[Start]) -> str:
    """Lay out the target, both contenders, and where Alphacut's time goes."""
    commit = "unknown commit" if origin.commit is None else f"commit {origin.commit.sha[:12]}"
    commit += " with changes" if origin.commit is not None and origin.commit.changed else ""
    names = list(dict.fromkeys(one.contender for one in starts))
    totals = ([name, _seconds(Spread.of(one.total_s for one in starts if one.contender == name))] for name in names)
    sections = [
        f"# Cold start of {origin.created}",
        f"{origin.engine}, {commit}, on {origin.machine.cores} cores of {origin.machine.processor}, load before "
        f"{origin.machine.load_before}: a fresh process each time, in turn, from its first import to its first mask. "
        "Files are in the system's cache after the first round. Median, lowest and highest.",
        targets_table([outcome(starts)]),
        table(("contender", "s to the first answer"), totals),
        "Alphacut's stages follow each other; models load side by side and are not a part of the sum.",
        table(("stage", "s"), _rows([one.stages_s for one in starts if one.stages_s])),
        table(("model", "s from loading to ready"), _rows([one.models_s for one in starts if one.models_s])),
    ]
    return "\n\n".join(sections) + "\n"


def _once(contender: Contender, setting: Setting) -> Start:
    with WorkerProcess(contender, setting) as worker:
        triton = ProcessTree(worker.pid).triton()
        if triton is None:
            return Start(contender.name, worker.start_s, {}, {})
        # Its standard output is the log, a file that has the life of the server.
        log = Path(f"/proc/{triton.pid}/fd/1").read_text(errors="replace")
        return _staged(contender.name, worker.marks, _created(triton), log)


def _created(process: psutil.Process) -> float:
    """Return when a process was made, in seconds since 1970.

    The kernel tells that to 10 ms after boot, but when it booted in whole seconds only.
    """
    after_boot_s = process.create_time() - psutil.boot_time()
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) + after_boot_s


def _staged(contender: str, marks: Mapping[str, float], triton_created: float, log: str) -> Start:
    """Cut a start into stages by moments of three clocks, all of which are the system's."""
    begun = marks["begun"]
    triton = start_log.read(log, begun)
    moments = {
        "client's imports": marks["imported"] - begun,
        "supervisor: Python, imports, environment check": triton_created - begun,
        "Triton: libraries, repository": triton.loads_s,
        "Triton: models": max(triton.models_s.values()),
        "Triton: listens": triton.listens_s,
        "supervisor: known answer": marks["ready"] - begun,
        "client: connection, first answer": marks["answered"] - begun,
    }
    before = [0.0, *moments.values()]
    stages_s = {stage: moment - previous for (stage, moment), previous in zip(moments.items(), before, strict=False)}
    models_s = {name: ready_s - triton.loads_s for name, ready_s in triton.models_s.items()}
    return Start(contender, marks["answered"] - begun, stages_s, models_s)


def _rows(each: Sequence[Mapping[str, float]]) -> list[list[str]]:
    names = list(dict.fromkeys(name for one in each for name in one))
    return [[name, _seconds(Spread.of(one[name] for one in each if name in one))] for name in names]


def _seconds(spread: Spread) -> str:
    return f"{spread.median:.2f} ({spread.low:.2f} to {spread.high:.2f})"
