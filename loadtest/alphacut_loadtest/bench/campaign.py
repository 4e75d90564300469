"""One run of the bench: start everybody, check what they answer, let them take turns, end everybody."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import alphacut_core
import alphacut_loadtest
from alphacut_core.agreement import Bounds
from alphacut_core.errors import MissingLibraryError, ServerStartError
from alphacut_core.geometry import Pixels
from alphacut_loadtest.bench import memory, parity, schedule
from alphacut_loadtest.bench.contenders import REFERENCE, Contender, SubjectName
from alphacut_loadtest.bench.memory import Footprint
from alphacut_loadtest.bench.parity import Parity
from alphacut_loadtest.bench.pictures import Picture
from alphacut_loadtest.bench.process import WorkerProcess
from alphacut_loadtest.bench.subject import Setting
from alphacut_loadtest.bench.summary import Measurement
from alphacut_loadtest.bench.usage import ProcessTree

_WARM_UP_CALLERS = 4

Report = Callable[[str], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What to run.

    Attributes:
        contenders: Who takes part.
        concurrencies: Callers at once; each is a turn of its own.
        rounds: How often everybody has all turns.
        images_per_caller: At least so many images a turn for each caller, rounded up to whole passes.
    """

    contenders: Sequence[Contender]
    concurrencies: Sequence[int]
    rounds: int
    images_per_caller: int


@dataclass(slots=True)
class Field:
    """Those who really take part: their processes by subject, and why others do not."""

    workers: dict[SubjectName, WorkerProcess] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)

    def takes_part(self, contender: Contender) -> bool:
        """Whether a contender's process runs."""
        return contender.subject in self.workers


def start(stack: ExitStack, contenders: Sequence[Contender], setting: Setting, report: Report) -> Field:
    """Start a process for every subject of ``contenders``, and for the reference; ``stack`` ends them.

    Raises:
        ServerStartError: One that has all its libraries does not come up.
    """
    there = Field()
    for contender in (*contenders, REFERENCE):
        if contender.subject in there.workers or contender.name in there.left_out:
            continue
        try:
            worker = stack.enter_context(_worker(contender, setting))
        except MissingLibraryError as error:
            there.left_out[contender.name] = str(error)
            report(f"{contender.name} is left out: {error}")
            continue
        there.workers[contender.subject] = worker
        report(f"{contender.subject} gave its first answer after {worker.start_s:.1f} s")
    return there


def check_masks(
    there: Field, contenders: Sequence[Contender], setting: Setting, pictures: Sequence[Picture], gate: Bounds
) -> list[Parity]:
    """Let everybody answer every picture once, and compare the masks with the reference's; a warm-up as well."""
    if not there.takes_part(REFERENCE):
        return []
    reference = _masks(there, REFERENCE, setting, pictures)
    return [
        parity.compare(contender.name, _masks(there, contender, setting, pictures), reference, pictures, gate)
        for contender in contenders
        if there.takes_part(contender) and contender != REFERENCE
    ]


def measure(there: Field, plan: Plan, n_pictures: int, report: Report) -> list[Measurement]:
    """Let everybody take turns."""
    present = [contender for contender in plan.contenders if there.takes_part(contender)]
    trees = {subject: ProcessTree(worker.pid) for subject, worker in there.workers.items()}
    measurements = []
    for turn in schedule.turns(present, plan.concurrencies, plan.rounds):
        passes = schedule.passes(n_pictures, turn.concurrency, plan.images_per_caller)
        subject = turn.contender.subject
        one = _measure(turn, there.workers[subject], trees[subject], passes)
        measurements.append(one)
        report(
            f"round {turn.round + 1}/{plan.rounds}  {turn.concurrency:>2} callers  {turn.contender.name:<20}"
            f"{one.images_per_s:7.2f} images/s  p50 {1000 * one.latency_s(50):6.0f} ms"
        )
    return measurements


def watch_memory(there: Field, plan: Plan, n_pictures: int, report: Report) -> list[Footprint]:
    """Give those whose memory is watched one more turn, untimed, with as many callers as there are at most."""
    callers = max(plan.concurrencies)
    passes = schedule.passes(n_pictures, callers, plan.images_per_caller)
    footprints = []
    for contender in plan.contenders:
        if contender.name not in memory.WATCHED or not there.takes_part(contender):
            continue
        worker = there.workers[contender.subject]
        turn = partial(worker.ask, "run", contender, callers, passes=passes, only_first=False)
        footprints.append(memory.watch(ProcessTree(worker.pid), contender.name, callers, turn))
        report(f"memory  {contender.name:<20}{footprints[-1].everything.pss_bytes / 1e6:6.0f} MB PSS at most")
    return footprints


def _measure(turn: schedule.Turn, worker: WorkerProcess, tree: ProcessTree, passes: int) -> Measurement:
    warm_up = min(turn.concurrency, _WARM_UP_CALLERS)
    worker.ask("run", turn.contender, turn.concurrency, passes=warm_up, only_first=True)
    tree.reset_peaks()
    before_s, before_by_process_s = tree.cpu_s(), tree.cpu_by_process_s()
    answer = worker.ask("run", turn.contender, turn.concurrency, passes=passes, only_first=False)
    return Measurement(
        round=turn.round,
        contender=turn.contender.name,
        concurrency=turn.concurrency,
        wall_s=answer["wall_s"],
        latencies_s=tuple((picture, seconds) for picture, seconds in answer["latencies_s"]),
        cpu_s=tree.cpu_s() - before_s,
        cpu_by_process_s={
            name: spent_s - before_by_process_s.get(name, 0.0) for name, spent_s in tree.cpu_by_process_s().items()
        },
        peak_rss_bytes=tree.peak_rss_bytes(),
        stages_s=answer["stages_s"],
    )


def _masks(there: Field, contender: Contender, setting: Setting, pictures: Sequence[Picture]) -> list[Pixels]:
    masks = []
    path = setting.scratch / "answer"
    for position, picture in enumerate(pictures):
        there.workers[contender.subject].ask("answer", contender, 1, picture=position, path=str(path))
        masks.append(parity.mask(path.read_bytes(), contender.answer, picture))
    return masks


def _worker(contender: Contender, setting: Setting) -> WorkerProcess:
    if contender.subject != "engine":
        return WorkerProcess(contender, setting)
    # The engine's runtime lives in the server's environment, which knows nothing of Alphacut's packages.
    imports = setting.scratch / "imports"
    imports.mkdir()
    for package in (alphacut_core, alphacut_loadtest):
        folder = Path(str(package.__file__)).parent
        (imports / folder.name).symlink_to(folder, target_is_directory=True)
    return WorkerProcess(contender, setting, _server_python(), {"PYTHONPATH": str(imports)})


def _server_python() -> Path:
    command = [sys.executable, "-m", "alphacut_server", "environment"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ServerStartError(f"the embedded server's environment cannot be used: {done.stderr.strip()}")
    return Path(done.stdout.strip())
