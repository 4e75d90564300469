"""Does Triton's own load generator see the same server as ours does?

It asks an ensemble for every output, so that the server renders too, and knows neither cut-off files nor repeats. Hence
both send what both can: cut-outs, one caller after the other. Of random arrivals two short runs see different queues.
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
from alphacut_core.errors import AlphacutError
from alphacut_core.options import Options
from alphacut_loadtest.capacity import perf_analyzer
from alphacut_loadtest.capacity.locust_target import LocustTarget
from alphacut_loadtest.capacity.perf_analyzer import PerfAnalyzerError, Seen
from alphacut_loadtest.capacity.trial import Trial
from alphacut_loadtest.measure.answered import check_answered
from alphacut_loadtest.traffic.corpus import Corpus
from alphacut_loadtest.traffic.mix import RENDERED_FORMAT, Mix
from alphacut_loadtest.traffic.scenario import protocol_of

_CALLERS = 1
_TRIALS, _LEAST_REQUESTS = 3, 20
_TIMES_LONGER = 3
_FILES = 40
_SEED = 10_000
_AGREES = 0.15


@dataclass(frozen=True, slots=True)
class SecondOpinion:
    """What two generators saw of one server.

    Attributes:
        status: ``run``, or why it was not.
        theirs: What perf_analyzer saw.
        ours: What ``alphacut capacity`` saw, sending the same.
    """

    status: str
    theirs: Seen | None = None
    ours: Seen | None = None

    @property
    def agrees(self) -> bool | None:
        """Whether mean latencies differ by 15 % at most; None if they were not run."""
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
            f"perf_analyzer {agrees}: of cut-outs, one after the other, it saw {self.theirs}, "
            f"alphacut capacity {self.ours}."
        )


def ask(target: LocustTarget, images: Path | None, cache: Path, report: Callable[[str], None]) -> SecondOpinion:
    """Let both send cut-outs of the target's pictures in a closed loop.

    Args:
        target: What is under load, and how ours sends.
        images: Folder of image files to send instead of the mix's pictures.
        cache: Folder that keeps what is made.
        report: Told one line.
    """
    if protocol_of(target.service.url) != "grpc":
        return SecondOpinion(f"not run: {perf_analyzer.PROGRAM} speaks to Triton, not to the gateway")
    if perf_analyzer.find() is None:
        return SecondOpinion(perf_analyzer.NOT_FOUND)
    mix = comparable(target.mix)
    ensemble = tiers.pipeline(mode=next(iter(mix.modes))).ensemble
    try:
        sent = inputs(Corpus(mix, images, cache))
        trial = dataclasses.replace(target, mix=mix, trial_s=_TRIALS * target.trial_s).closed(_CALLERS)
        check_answered(trial.window, _CALLERS, trial.words or {})
        requests = max(_LEAST_REQUESTS, trial.window.requests)
        theirs = perf_analyzer.run(
            target.service.url,
            ensemble,
            sent,
            callers=_CALLERS,
            requests=requests,
            timeout_s=_TIMES_LONGER * (target.warmup_s + _TRIALS * target.trial_s),
        )
    except PerfAnalyzerError as error:
        return SecondOpinion(str(error))
    except AlphacutError as error:  # ours; the first opinion is measured by now, and not lost with it
        return SecondOpinion(f"not run: {error}")
    except KeyboardInterrupt:
        return SecondOpinion("not run: Ctrl-C ended it")
    opinion = SecondOpinion("run", theirs, _seen(trial))
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
