"""Does Triton's own load generator see the same server as ours does?

It asks an ensemble for every output, so that the server renders too, and knows neither cut-off files nor repeats. Hence
both send what both can: cut-outs, at a rate that leaves room for rendering.
"""

from __future__ import annotations

import dataclasses
import itertools
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from alphacut_core import tiers
from alphacut_core.contract import ENCODED, OPTIONS
from alphacut_core.options import Options
from alphacut_loadtest.capacity import perf_analyzer
from alphacut_loadtest.capacity.locust_target import LocustTarget
from alphacut_loadtest.capacity.perf_analyzer import PerfAnalyzerError, Seen
from alphacut_loadtest.capacity.trial import Trial
from alphacut_loadtest.traffic.corpus import Corpus
from alphacut_loadtest.traffic.mix import RENDERED_FORMAT, Mix
from alphacut_loadtest.traffic.scenario import protocol_of

_RATE = 0.3
_TRIALS, _LEAST_REQUESTS = 3, 20
_FILES = 40
_SEED = 10_000
_AGREES = 0.25


@dataclass(frozen=True, slots=True)
class SecondOpinion:
    """What two generators saw at one rate.

    Attributes:
        status: ``run``, or why it was not.
        rate_per_s: What both were told to send; 0 if they were not run.
        theirs: What perf_analyzer saw.
        ours: What ``alphacut capacity`` saw, sending the same.
    """

    status: str
    rate_per_s: float = 0.0
    theirs: Seen | None = None
    ours: Seen | None = None

    @property
    def agrees(self) -> bool | None:
        """Whether mean latencies differ by a quarter at most; None if they were not run.

        Rates differ by chance: of n random arrivals by a share of one by the root of n.
        """
        if self.theirs is None or self.ours is None:
            return None
        of_theirs_s, of_ours_s = self.theirs.mean_latency_s, self.ours.mean_latency_s
        return abs(of_theirs_s - of_ours_s) <= _AGREES * max(of_theirs_s, of_ours_s)

    def in_words(self) -> str:
        """Return one sentence."""
        if self.theirs is None or self.ours is None:
            return f"perf_analyzer: {self.status}."
        agrees = "agrees" if self.agrees else "does NOT agree"
        return (
            f"perf_analyzer {agrees}: of {self.rate_per_s:.3g} cut-outs a second it saw {self.theirs}, "
            f"alphacut capacity {self.ours}."
        )


def ask(
    target: LocustTarget, capacity_per_s: float, images: Path | None, cache: Path, report: Callable[[str], None]
) -> SecondOpinion:
    """Let both send cut-outs of the target's pictures at three tenths of its capacity.

    Args:
        target: What is under load, and how ours sends.
        capacity_per_s: Images a second that it serves.
        images: Folder of image files to send instead of the mix's pictures.
        cache: Folder that keeps what is made.
        report: Told one line.
    """
    if protocol_of(target.service.url) != "grpc":
        return SecondOpinion(f"not run: {perf_analyzer.PROGRAM} speaks to Triton, not to the gateway")
    if perf_analyzer.find() is None:
        return SecondOpinion(perf_analyzer.NOT_FOUND)
    rate_per_s = _RATE * capacity_per_s
    mix = comparable(target.mix)
    requests = max(_LEAST_REQUESTS, round(_TRIALS * target.trial_s * rate_per_s))
    trial = dataclasses.replace(target, mix=mix, trial_s=requests / rate_per_s).open(rate_per_s, _SEED)
    ensemble = tiers.pipeline(mode=next(iter(mix.modes))).ensemble
    sent = inputs(Corpus(mix, images, cache))
    try:
        theirs = perf_analyzer.run(target.service.url, ensemble, sent, rate_per_s, requests)
    except PerfAnalyzerError as error:
        return SecondOpinion(str(error))
    opinion = SecondOpinion("run", rate_per_s, theirs, _seen(trial))
    report(opinion.in_words())
    return opinion


def comparable(mix: Mix) -> Mix:
    """Return what both can send of a mix: its files, of one tier, rendered by the server."""
    return dataclasses.replace(
        mix,
        modes={next(iter(mix.modes)): 1.0},
        answers={"cutout": 1.0},
        uploads={"encoded": 1.0},
        corrupt=0.0,
        repeats=0.0,
    )


def inputs(corpus: Corpus) -> list[Mapping[str, bytes]]:
    """Return some requests of a corpus as the ensemble's inputs by name; perf_analyzer sends them in turns."""
    asks = itertools.islice(corpus.asks(random.Random(_SEED)), _FILES)  # noqa: S311  no secret
    return [
        {ENCODED.name: ask.data, OPTIONS.name: Options(format=RENDERED_FORMAT, decode=ask.decode).to_wire()}
        for ask in asks
    ]


def _seen(trial: Trial) -> Seen:
    seen = trial.window
    return Seen(seen.achieved_per_s, seen.mean_latency_s, seen.percentile_s(95))
