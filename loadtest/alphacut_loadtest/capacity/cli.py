"""``alphacut capacity``."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import click

from alphacut_core.errors import AlphacutError, InvalidOptionError
from alphacut_loadtest import origin as origins
from alphacut_loadtest import results
from alphacut_loadtest.address import URL_OPTION
from alphacut_loadtest.capacity import (
    answer,
    bottleneck,
    compare,
    fleet,
    partial,
    report,
    results_table,
    second_opinion,
    usl,
)
from alphacut_loadtest.capacity.locust_target import LocustTarget
from alphacut_loadtest.capacity.measurement import CALLERS, Effort, Progress, measure
from alphacut_loadtest.capacity.partial import Partial
from alphacut_loadtest.capacity.result import Result
from alphacut_loadtest.capacity.search import REPEATS, RESOLUTION, ClientLimitError, NoCapacityError
from alphacut_loadtest.exit_status import MISSED, NO_CAPACITY, NO_RESULT
from alphacut_loadtest.finite import Finite
from alphacut_loadtest.measure.run import Generator
from alphacut_loadtest.measure.service import serving
from alphacut_loadtest.origin import Origin
from alphacut_loadtest.promise import promised
from alphacut_loadtest.traffic import scenario_file
from alphacut_loadtest.traffic.scenario import MAX_CALLERS, PROTOCOLS, Protocol, Scenario
from alphacut_loadtest.traffic.slo import Slo

_FOLDER = click.Path(path_type=Path, file_okay=False)
_FILE = click.Path(path_type=Path, dir_okay=False)


def _callers(_: click.Context, __: click.Parameter, text: str) -> tuple[int, ...]:
    numbers = [part.strip() for part in text.split(",")]
    if not all(number.isdecimal() and 1 <= int(number) <= MAX_CALLERS for number in numbers):
        raise click.BadParameter(
            f"got {text!r}; give whole numbers from 1 to {MAX_CALLERS} with commas between them, as in 1,2,4,8,16."
        )
    callers = tuple(map(int, numbers))
    try:
        usl.check_callers(callers)
    except InvalidOptionError as error:
        raise click.BadParameter(f"{error}.") from error
    return callers


@click.group(invoke_without_command=True)
@click.option(
    "--slo",
    "promise",
    callback=promised,
    default="p95=1s,errors=0.1%",
    show_default=True,
    help="What callers are promised.",
)
@URL_OPTION
@click.option("--metrics", metavar="URL", help="Triton's Prometheus page, with --url.")
@click.option("--protocol", type=click.Choice(PROTOCOLS), default="grpc", show_default=True, help="Without --url.")
@click.option("--scenario", default="steady", show_default=True, help="Its first lane says what is sent.")
@click.option("--images", type=_FOLDER, help="Folder of image files to send instead.")
@click.option("--target-qps", type=Finite(0, min_open=True), help="Images a second that are needed.")
@click.option("--price-per-hour", type=Finite(0), help="Price of one machine, in any currency.")
@click.option(
    "--headroom",
    type=Finite(0, 0.95),
    default=fleet.HEADROOM,
    show_default=True,
    help="Share of each machine that stays free.",
)
@click.option(
    "--spare",
    type=click.IntRange(0),
    default=fleet.SPARE,
    show_default=True,
    help="Machines that may fail while the others carry the target.",
)
@click.option(
    "--trial",
    "trial_s",
    type=Finite(0.5),
    default=20.0,
    show_default=True,
    help="Seconds that each rate is held; up to ten times as long where the SLO's percentile takes more requests.",
)
@click.option(
    "--warm-up",
    "warmup_s",
    type=Finite(0),
    default=3.0,
    show_default=True,
    help="Seconds before each that do not count.",
)
@click.option(
    "--callers",
    callback=_callers,
    default=",".join(map(str, CALLERS)),
    show_default=True,
    help="Numbers of callers who wait, tried first.",
)
@click.option("--repeats", type=click.IntRange(1), default=REPEATS, show_default=True, help="Trials at each rate.")
@click.option(
    "--resolution",
    type=Finite(0.005, 1),
    default=RESOLUTION,
    show_default=True,
    help="Where the search ends, as a share of the rate.",
)
@click.option("--processes", type=click.IntRange(1), default=1, show_default=True, help="Processes that send.")
@click.option("--output", type=_FOLDER, default=Path("out/capacity"), show_default=True, help="For the results.")
@results.KEEP_OPTION
@click.pass_context
def capacity(context: click.Context, /, **options: Any) -> None:
    """Find how many images a second one machine serves within an SLO, and how many machines a target takes.

    Exit status: 0 for an answer that was proven, 3 for one that was not, 4 where the client was the limit, 5 where no
    rate keeps the SLO, or none twice. Whatever ends it, Ctrl-C too (status 1), what was tried until then is kept as
    capacity-partial.
    """
    if context.invoked_subcommand is not None:
        return
    scenario = scenario_file.load(options["scenario"])
    origin = origins.of_service(options["url"])
    folder = results.chosen(origin, options)
    progress = Progress()
    try:
        result = _measured(scenario, origin, options, progress)
    except (AlphacutError, KeyboardInterrupt) as error:
        if progress.sweep:
            _keep(_partial(scenario, origin, options, progress, error), folder)
        if isinstance(error, ClientLimitError):
            click.echo(f"no result: {error}", err=True)
            context.exit(NO_RESULT)
        if isinstance(error, NoCapacityError):
            context.exit(NO_CAPACITY)
        raise
    paths = results.write(folder, "capacity", json=result.to_json, html=lambda: report.html(result))
    click.echo(answer.paragraph(result))
    _tell(f"written to {' and '.join(map(str, paths))}")
    context.exit(0 if result.proven else MISSED)


@capacity.command("compare")
@click.argument("before", type=_FILE)
@click.argument("after", type=_FILE)
@click.option(
    "--tolerance", type=Finite(0, 1), default=compare.TOLERANCE, show_default=True, help="Share that may be lost."
)
@click.pass_context
def compare_command(context: click.Context, before: Path, after: Path, tolerance: float) -> None:
    """Compare two results. Exit status: 0, or 3 where more than the tolerance was lost."""
    compared = compare.compare(before, after, tolerance)
    click.echo(str(compared))
    context.exit(MISSED if compared.regressed else 0)


@capacity.command("table")
@click.option("--write", is_flag=True, callback=results.into_checkout, help="Put it into loadtest/README.md.")
def table_command(write: bool) -> None:
    """Print the table of all results that were kept."""
    shown = results_table.markdown()
    if write:
        results_table.README.write_text(results_table.written(results_table.README.read_text(), shown))
    click.echo(shown)


def _measured(scenario: Scenario, origin: Origin, options: dict[str, Any], progress: Progress) -> Result:
    promise: Slo = options["promise"]
    mix = scenario.lanes[0].mix
    effort = Effort(options["callers"], options["repeats"], options["resolution"])
    protocol: Protocol = options["protocol"]
    with (
        tempfile.TemporaryDirectory(prefix="alphacut-pictures-") as cache,
        serving(options["url"], options["metrics"], protocol, scenario.gateway, tuple(mix.modes)) as service,
    ):
        generator = Generator(service.url, options["processes"], options["images"], Path(cache))
        target = LocustTarget(service, generator, mix, promise, options["warmup_s"], options["trial_s"])
        found = measure(target, promise, effort, _tell, progress)
        rate_per_s = found.confirmed.rate_per_s
        opinion = second_opinion.ask(target, options["images"], Path(cache), _tell)
    return Result(
        origin=origin,
        url=options["url"] or "embedded",
        scenario=scenario.name,
        slo=promise,
        trial_s=options["trial_s"],
        sweep=found.sweep,
        usl=found.usl,
        verdicts=found.verdicts,
        confirmed=found.confirmed,
        broken=found.broken,
        checks=found.checks,
        bottleneck=bottleneck.find(found.broken.trials[0], origin.machine.cores),
        fleet=fleet.plan(
            rate_per_s, options["target_qps"], options["price_per_hour"], options["headroom"], options["spare"]
        ),
        second_opinion=opinion,
    )


def _partial(
    scenario: Scenario, origin: Origin, options: dict[str, Any], progress: Progress, error: BaseException
) -> Partial:
    code, why = partial.ended_by(error)
    return Partial(
        origin=origin,
        url=options["url"] or "embedded",
        scenario=scenario.name,
        slo=options["promise"],
        trial_s=options["trial_s"],
        sweep=progress.sweep,
        verdicts=progress.verdicts,
        undecided=progress.undecided,
        code=code,
        why=why,
    )


def _keep(left: Partial, folder: Path) -> None:
    paths = results.write(folder, "capacity-partial", json=left.to_json, html=lambda: report.html_of_partial(left))
    click.echo(left.paragraph())
    _tell(f"written to {' and '.join(map(str, paths))}")


def _tell(line: str) -> None:
    click.echo(line, err=True)
    sys.stderr.flush()
