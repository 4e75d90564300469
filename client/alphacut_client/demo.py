"""``alphacut demo``: the sample photographs, cut out by a real Triton."""

from __future__ import annotations

import time
from pathlib import Path

import click
from PIL import Image
from rich.console import Console
from rich.table import Table

from alphacut_client import contact_sheet, folder, result
from alphacut_client.client import Client
from alphacut_client.embedded import EmbeddedServer
from alphacut_client.stats import ModelStatistics
from alphacut_client.timings import StageTimes
from alphacut_core import bundled, codec
from alphacut_core.contract import DEFAULT_PIPELINE
from alphacut_core.errors import InputError
from alphacut_core.tiers import DEFAULT_MODEL

_SHEET = "contact_sheet.png"


@click.command()
@click.option("--photos", type=click.Path(path_type=Path), default=bundled.SAMPLES, help="Default: the samples.")
@click.option(
    "--output", type=click.Path(path_type=Path), default=Path("out"), show_default=True, help="For the cut-outs."
)
def demo(photos: Path, output: Path) -> None:
    """Cut out the sample photographs and show where the time goes.

    Starts an embedded server for the call, and writes a PNG for each photograph and a contact sheet.
    """
    if not photos.is_dir():
        raise InputError(f"found no folder {photos}; name one that holds photographs with --photos")
    planned = folder.plan(photos, output, ".png")
    for path, reason in planned.refused.items():
        raise InputError(f"{path}: {reason}")
    times = StageTimes()
    started = time.perf_counter()
    with EmbeddedServer(models=[DEFAULT_MODEL], tiers=["full"]) as server, Client(server.url, observer=times) as client:
        start_s = time.perf_counter() - started
        before = client.statistics()
        # One at a time, so that the stages below add up to what one photograph costs.
        for job in planned.jobs:
            result.write(job.target, client.remove(job.source))
        after = client.statistics()
    sheet = output / _SHEET
    result.write(sheet, codec.encode_png(contact_sheet.draw(_row(job) for job in planned.jobs), level=6))
    click.echo(f"The embedded Triton answered after {start_s:.1f} s at {server.url}.")
    Console().print(_stage_table(times, {model: after[model] - before[model] for model in after}))
    click.echo(f"{len(planned.jobs)} cut-outs are in {output}/, all at a glance in {sheet}")


def _row(job: folder.Job) -> contact_sheet.Row:
    original = codec.decode(job.source.read_bytes())
    with Image.open(job.target) as cutout:
        return contact_sheet.Row(job.source.stem, original, cutout.convert("RGBA"))


def _stage_table(times: StageTimes, server: dict[str, ModelStatistics]) -> Table:
    """Lay out what one photograph costs; the server's lines happen during the client's send, decode and wait."""
    table = Table(title="Where the time went, one photograph at a time", title_justify="left")
    table.add_column("where")
    table.add_column("stage")
    table.add_column("ms a photograph", justify="right")
    table.add_column("share", justify="right")
    stages = times.by_stage()
    total_ms = sum(1000 * spent.mean_s for spent in stages.values())
    for stage, spent in stages.items():
        table.add_row("client", stage, f"{1000 * spent.mean_s:.1f}", f"{1000 * spent.mean_s / total_ms:.0%}")
    table.add_row("client", "all", f"{total_ms:.1f}", "100%", end_section=True)
    whole = server[DEFAULT_PIPELINE.ensemble]
    if whole.inferences:  # Triton counts after it has answered: for one photograph maybe too late
        table.add_row("server", "all", f"{1000 * whole.total_s / whole.inferences:.1f}")
    return table
