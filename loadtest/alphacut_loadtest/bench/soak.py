"""``alphacut bench soak``: does memory grow with the images that were answered?"""

from __future__ import annotations

import itertools
import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from alphacut_core import bundled
from alphacut_loadtest import origin as origins
from alphacut_loadtest.bench import contenders, growth, pictures, published, targets
from alphacut_loadtest.bench.memory import of_server
from alphacut_loadtest.bench.pictures import Shot
from alphacut_loadtest.bench.places import FOLDER, REPOSITORY_OPTION
from alphacut_loadtest.bench.process import WorkerProcess
from alphacut_loadtest.bench.subject import Setting
from alphacut_loadtest.bench.table import table
from alphacut_loadtest.bench.table import targets as targets_table
from alphacut_loadtest.bench.targets import Outcome
from alphacut_loadtest.bench.usage import NOTHING, Memory, ProcessTree
from alphacut_loadtest.origin import Origin

WAYS = "mask-encoded,mask-fast,mask-pixels,cutout-client,cutout-server-webp"
"""So that every process and every step has its share."""

_SHOTS = (
    Shot("dahlia", 320, 213),
    Shot("cat", 360, 240, "png"),
    Shot("rocket", 480, 320),
    Shot("coffee", 400, 267),
    Shot("pagoda", 640, 427),
)
_CALLERS = 4
_BLOCK = 100
_SERVER, _WHOLE = "server and stubs", "server, stubs and client"


@dataclass(frozen=True, slots=True)
class Sample:
    """Memory of each process after so many images, warm-up not counted, while no request was under way."""

    images: int
    processes: Mapping[str, Memory]


@click.command()
@click.option("--images", type=click.IntRange(3 * _BLOCK), default=5000, show_default=True, help="After the warm-up.")
@click.option("--warm-up", "warm_up", type=click.IntRange(0), default=4000, show_default=True, help="Images before.")
@click.option("--output", type=FOLDER, default=Path("out/bench-soak"), show_default=True, help="For the results.")
@REPOSITORY_OPTION
def soak(*, images: int, warm_up: int, output: Path, repository: Path) -> None:
    """Answer thousands of small pictures in every way that there is, and look at all processes' memory meanwhile.

    Looks after every hundred images, when none is under way. Writes soak.json and soak.md, and prints the second.
    """
    origin = origins.here(repository)
    with tempfile.TemporaryDirectory(prefix="alphacut-soak-") as scratch:
        folder = Path(scratch)
        (folder / "pictures").mkdir()
        found = pictures.make(bundled.SAMPLES, folder / "pictures", _SHOTS)
        setting = Setting(bundled.NETWORK, repository.resolve(), folder, [picture.path for picture in found])
        ways = contenders.choose(WAYS)
        with WorkerProcess(ways[0], setting) as worker:
            _answer(worker, ways, warm_up, len(found), lambda _: None)
            tree = ProcessTree(worker.pid)
            samples = [Sample(0, tree.memory())]

            def look(done: int) -> None:
                samples.append(Sample(done, tree.memory()))
                if done % (5 * _BLOCK) == 0:
                    size = of_server(samples[-1].processes).own_bytes / 1e6
                    click.echo(f"{done} of {images} images, server and stubs {size:.1f} MB of their own", err=True)

            _answer(worker, ways, images, len(found), look)
    published.publish(output, "soak", json=lambda: to_json(origin, samples), md=lambda: markdown(origin, samples))


def to_json(origin: Origin, samples: Sequence[Sample]) -> str:
    """Return every sample, and the lines through them."""
    content = {
        "schema": 1,
        **asdict(origin),
        "samples": [asdict(sample) for sample in samples],
        "growth": {name: asdict(_line(samples, name)) for name in _names(samples)},
        "targets": [asdict(outcome(samples))],
    }
    return json.dumps(content, indent=1)


def outcome(samples: Sequence[Sample]) -> Outcome:
    """Hold server and stubs against the target."""
    found, images = _line(samples, _SERVER), samples[-1].images
    measured = f"{found.over(images)} in {images:,}"
    return Outcome(targets.GROWTH, targets.NO_GROWTH, "all ways in turn", measured, not found.is_certain)


def markdown(origin: Origin, samples: Sequence[Sample]) -> str:
    """Lay out the target first, then a row for each process."""
    images = samples[-1].images
    commit = "unknown commit" if origin.commit is None else f"commit {origin.commit.sha[:12]}"
    commit += " with changes" if origin.commit is not None and origin.commit.changed else ""
    sections = [
        f"# Soak of {origin.created}",
        f"{origin.engine}, {commit}, on {origin.machine.cores} cores of {origin.machine.processor}, load before "
        f"{origin.machine.load_before}: {images} pictures of 0.07 to 0.27 megapixels by {_CALLERS} callers, in turn by "
        f"{WAYS.replace(',', ', ')}; {len(samples)} samples.",
        targets_table([outcome(samples)]),
        "Growth is the slope of a line through each process's own memory, give or take two standard errors: its heaps "
        "and shared memory, without the pages of programs and libraries, whose share changes when others use them.",
        table(
            (
                "process",
                "own first, MB",
                "own last, MB",
                "PSS last, MB",
                "RSS last, MB",
                f"growth over {images} images",
            ),
            [_row(samples, name) for name in _names(samples)],
        ),
    ]
    return "\n\n".join(sections) + "\n"


def _row(samples: Sequence[Sample], name: str) -> list[str]:
    first, last = _size(samples[0], name), _size(samples[-1], name)
    sizes_bytes = (first.own_bytes, last.own_bytes, last.pss_bytes, last.rss_bytes)
    sizes = (f"{size / 1e6:.1f}" for size in sizes_bytes)
    return [name, *sizes, _line(samples, name).over(samples[-1].images)]


def _answer(
    worker: WorkerProcess,
    ways: Sequence[contenders.Contender],
    images: int,
    n_pictures: int,
    look: Callable[[int], None],
) -> None:
    """Have so many images answered, way by way, and call ``look`` with their number after each block."""
    passes = _BLOCK // (len(ways) * n_pictures)
    done = 0
    for way in itertools.cycle(ways):
        if done >= images:
            return
        worker.ask("run", way, _CALLERS, passes=passes, only_first=False)
        done += passes * n_pictures
        if done % _BLOCK == 0:
            look(done)


def _names(samples: Sequence[Sample]) -> list[str]:
    return [_SERVER, _WHOLE, *samples[0].processes]


def _size(sample: Sample, name: str) -> Memory:
    if name == _SERVER:
        return of_server(sample.processes)
    if name == _WHOLE:
        return sum(sample.processes.values(), NOTHING)
    return sample.processes.get(name, NOTHING)


def _line(samples: Sequence[Sample], name: str) -> growth.Growth:
    sizes = [_size(sample, name).own_bytes for sample in samples]
    return growth.line([sample.images for sample in samples], sizes)
