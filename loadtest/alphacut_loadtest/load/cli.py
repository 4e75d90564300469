"""``alphacut load``."""

from __future__ import annotations

import dataclasses
import sys
import tempfile
from pathlib import Path
from typing import Any

import click

from alphacut_core.errors import InvalidOptionError
from alphacut_loadtest import origin as origins
from alphacut_loadtest import results
from alphacut_loadtest.address import URL_OPTION
from alphacut_loadtest.exit_status import MISSED, NO_RESULT
from alphacut_loadtest.finite import Finite
from alphacut_loadtest.load.judgement import judge
from alphacut_loadtest.load.report import Report
from alphacut_loadtest.measure.answered import NoAnswerError, check_answered
from alphacut_loadtest.measure.run import Generator, Run, RunInterrupt
from alphacut_loadtest.measure.service import serving
from alphacut_loadtest.measure.window import window
from alphacut_loadtest.promise import promised
from alphacut_loadtest.traffic import scenario_file
from alphacut_loadtest.traffic.scenario import PROTOCOLS, Lane, Scenario, Stage, protocol_of

_FOLDER = click.Path(path_type=Path, file_okay=False)
_CALIBRATION_CALLERS, _CALIBRATION_WARMUP_S, _CALIBRATION_S = 8, 2.0, 8.0


@click.command()
@click.argument("name", metavar="SCENARIO")
@URL_OPTION
@click.option("--protocol", type=click.Choice(PROTOCOLS), help="Without --url; default: the scenario's.")
@click.option("--rate", type=Finite(0, min_open=True), help="Requests a second at 1x; default: measured.")
@click.option("--slo", "promise", metavar="SLO", callback=promised, help="Instead of the scenario's.")
@click.option("--speed", type=Finite(0, min_open=True), default=1.0, help="Play it so many times as fast.")
@click.option("--images", type=_FOLDER, help="Folder of image files to send instead of those that are made.")
@click.option("--processes", type=click.IntRange(1), default=1, show_default=True, help="Processes that send.")
@click.option("--seed", type=int, default=0, show_default=True, help="Decides when what is sent.")
@click.option("--output", type=_FOLDER, default=Path("out/load"), show_default=True, help="For the results.")
@results.KEEP_OPTION
@click.pass_context
def load(context: click.Context, /, name: str, **options: Any) -> None:
    """Run one scenario of loadtest/scenarios, or of a TOML file, and judge it by its SLO.

    Rates in scenarios are multiples of a base rate. Without --rate that is what eight callers who wait for their
    answers get through, measured before.

    Exit status: 0 where the SLO was kept, 3 where it was not, 4 where the client was the limit; 1 where Ctrl-C ended
    it, after which what was seen since the warm-up is judged and written all the same; 1 also where the server that was
    started for it is gone by its end.
    """
    scenario = _adapted(scenario_file.load(name), options)
    origin = origins.of_service(options["url"])
    folder = results.chosen(origin, options)
    with (
        tempfile.TemporaryDirectory(prefix="alphacut-pictures-") as cache,
        serving(options["url"], None, scenario.protocol, scenario.gateway, scenario.modes) as service,
    ):
        generator = Generator(service.url, options["processes"], options["images"], Path(cache))
        try:
            rate_per_s = options["rate"] or _calibrated(generator, scenario)
        except NoAnswerError:
            service.check_running()  # or else that is why nobody answers
            raise
        try:
            run = generator.run(scenario, rate_per_s, options["seed"])
        except RunInterrupt as interrupt:
            run = interrupt.run
        interrupted = run.scenario != scenario
        report = Report(origin, options["url"] or f"embedded {scenario.protocol}", run, judge(run), interrupted)
        paths = results.write(folder, f"load-{scenario.name}", json=report.to_json, html=report.html)
        click.echo(report.markdown())
        _tell(f"written to {' and '.join(map(str, paths))}")
        service.check_running()
    if interrupted:
        raise click.Abort
    context.exit(NO_RESULT if report.judgement.client_limit else 0 if report.passed else MISSED)


def _adapted(scenario: Scenario, options: dict[str, Any]) -> Scenario:
    changes: dict[str, Any] = {}
    speed = options["speed"]
    if speed != 1:
        changes["stages"] = tuple(Stage(stage.duration_s / speed, stage.rate) for stage in scenario.stages)
        changes["warmup_s"] = scenario.warmup_s / speed
    if options["promise"]:
        changes["slo"] = options["promise"]
    if options["url"]:
        changes["protocol"] = protocol_of(options["url"])
    elif options["protocol"]:
        changes["protocol"] = options["protocol"]
    adapted = dataclasses.replace(scenario, **changes)
    if adapted.slo.recovery_s is not None and adapted.peak_ended_s is None:
        raise InvalidOptionError(
            f"got the SLO {adapted.slo} for scenario {adapted.name!r}, in which nothing follows the highest stage; "
            "promise no recovery, or add a calmer stage to recover in"
        )
    return adapted


def _calibrated(generator: Generator, scenario: Scenario) -> float:
    """Return what callers of the first lane's requests get through."""
    callers = Lane("calibration", scenario.lanes[0].mix, callers=_CALIBRATION_CALLERS)
    until_s = _CALIBRATION_WARMUP_S + _CALIBRATION_S
    run: Run = generator.run(
        dataclasses.replace(
            scenario, name="calibration", lanes=(callers,), stages=(Stage(until_s, 1.0),), warmup_s=0.0, timeout_s=60.0
        ),
        1.0,
    )
    seen = window(run.samples, _CALIBRATION_WARMUP_S, until_s)
    check_answered(seen, _CALIBRATION_CALLERS, run.words)
    _tell(f"{_CALIBRATION_CALLERS} callers get {seen.achieved_per_s:.2f} a second; that is 1x")
    return seen.achieved_per_s


def _tell(line: str) -> None:
    click.echo(line, err=True)
    sys.stderr.flush()
