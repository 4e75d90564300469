"""The command ``alphacut bench-client``."""

from __future__ import annotations

import itertools
import tempfile
from contextlib import ExitStack
from pathlib import Path

import click

from alphacut_client import Client, EmbeddedServer
from alphacut_core import bundled
from alphacut_loadtest.bench import machine, pictures
from alphacut_loadtest.bench_client import measure, report
from alphacut_loadtest.bench_client.ways import ways

_FOLDER = click.Path(path_type=Path, file_okay=False)
_IMAGES, _QUICK_IMAGES = 64, 12


@click.command("bench-client")
@click.option("--quick", is_flag=True, help=f"One round of {_QUICK_IMAGES} images: about a minute on two cores.")
@click.option("--rounds", type=click.IntRange(1), default=3, show_default=True, help="Not with --quick.")
@click.option("--images", type=_FOLDER, help="Folder of JPEG and PNG photographs; default: made of the samples.")
@click.option("--output", type=_FOLDER, default=Path("out/bench-client"), show_default=True, help="For the results.")
def bench_client(*, quick: bool, rounds: int, images: Path | None, output: Path) -> None:
    """Compare the client's ways with each other and with the server alone, in turns within one run.

    Takes about six minutes on two cores.

    Writes result.json and result.md, and prints the second.
    """
    origin = machine.here()
    with tempfile.TemporaryDirectory(prefix="alphacut-bench-client-") as scratch, ExitStack() as stack:
        found = pictures.load(images) if images else pictures.make(bundled.SAMPLES, Path(scratch), pictures.QUICK)
        files = [picture.path.read_bytes() for picture in found]
        batch = list(itertools.islice(itertools.cycle(files), _QUICK_IMAGES if quick else _IMAGES))
        server = stack.enter_context(EmbeddedServer())
        client = stack.enter_context(Client(server.url))
        clocks = measure.Clocks(client, server.pid)
        turns = measure.run(ways(server.url, batch, stack), batch, 1 if quick else rounds, clocks, _report)
    commit = machine.commit(bundled.CHECKOUT)
    output.mkdir(parents=True, exist_ok=True)
    shown = report.markdown(turns, origin, commit)
    (output / "result.json").write_text(report.to_json(turns, origin, commit))
    (output / "result.md").write_text(shown)
    click.echo(shown)
    _report(f"written to {output}/result.json and result.md")


def _report(line: str) -> None:
    click.echo(line, err=True)
