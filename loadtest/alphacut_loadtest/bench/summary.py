"""From single turns to medians with their spread, and to ratios within rounds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean, median

import numpy as np

from alphacut_loadtest.bench.contenders import CONTENDERS, LIMIT, Contender, SubjectName


@dataclass(frozen=True, slots=True)
class Measurement:
    """What one turn gave.

    Attributes:
        round: Which round.
        contender: Whose turn.
        concurrency: Callers at once.
        wall_s: From the first call to the last answer.
        latencies_s: Position of the picture and seconds, for each call.
        cpu_s: Processor seconds of all the contender's processes.
        cpu_by_process_s: The same for each process.
        peak_rss_bytes: Largest resident memory by program.
        stages_s: Seconds by stage, by the contender's own clocks.
    """

    round: int
    contender: str
    concurrency: int
    wall_s: float
    latencies_s: tuple[tuple[int, float], ...]
    cpu_s: float
    cpu_by_process_s: dict[str, float]
    peak_rss_bytes: dict[str, int]
    stages_s: dict[str, float]

    @property
    def images(self) -> int:
        """How many were answered."""
        return len(self.latencies_s)

    @property
    def images_per_s(self) -> float:
        """Throughput."""
        return self.images / self.wall_s

    @property
    def cpu_s_per_image(self) -> float:
        """Processor seconds that an image cost."""
        return self.cpu_s / self.images

    def latency_s(self, percent: float) -> float:
        """Return a percentile of the latencies, interpolated between neighbours."""
        return float(np.percentile([seconds for _, seconds in self.latencies_s], percent))


@dataclass(frozen=True, slots=True)
class Spread:
    """A figure over the rounds."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        """Return the median and the extremes of one value a round."""
        known = list(values)
        return cls(median(known), min(known), max(known))


@dataclass(frozen=True, slots=True)
class Figures:
    """One contender at one concurrency, over all rounds; ``images`` is how many a round has."""

    contender: str
    concurrency: int
    images: int
    images_per_s: Spread
    p50_s: Spread
    p95_s: Spread
    p99_s: Spread
    cpu_s_per_image: Spread
    peak_rss_bytes: Spread
    stages_s_per_image: dict[str, float]
    cpu_s_per_image_by_process: dict[str, float]


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many times better a contender is than another in the same rounds; above 1 is better.

    Attributes:
        contender: Who is rated.
        baseline: Against whom.
        concurrency: Callers at once, for both.
        throughput: Images a second, contender / baseline.
        p50: Median latency, baseline / contender.
        p99: 99th percentile, baseline / contender.
        cpu: Processor seconds an image, baseline / contender; moved least by other work on the machine.
    """

    contender: str
    baseline: str
    concurrency: int
    throughput: Spread
    p50: Spread
    p99: Spread
    cpu: Spread


def figures(measurements: Sequence[Measurement]) -> list[Figures]:
    """Sum up each contender at each concurrency, in the order of contenders."""
    return [_figures(group) for group in _groups(measurements).values()]


def baselines(contender: Contender) -> list[str]:
    """Return the names of those that a contender is rated against: rembg's two ways with its task, and the limit."""
    if contender.subject in ("rembg", "rembg-http"):
        return []
    rivals: tuple[SubjectName, ...] = ("rembg", "rembg-http")
    same = [rival.name for rival in CONTENDERS if rival.subject in rivals and rival.task == contender.task]
    return same if contender.name == LIMIT else [*same, LIMIT]


def ratios(measurements: Sequence[Measurement]) -> list[Ratio]:
    """Rate everybody against those of its baselines that ran, round by round."""
    groups = _groups(measurements)
    known = {contender.name: contender for contender in CONTENDERS}
    return [
        _ratio(group, groups[baseline, concurrency])
        for (name, concurrency), group in groups.items()
        for baseline in baselines(known[name])
        if (baseline, concurrency) in groups
    ]


def latency_by_picture_s(measurements: Sequence[Measurement], contender: str, concurrency: int) -> dict[int, float]:
    """Return the median latency of each picture over all rounds."""
    seen: dict[int, list[float]] = {}
    for measurement in _groups(measurements).get((contender, concurrency), []):
        for picture, seconds in measurement.latencies_s:
            seen.setdefault(picture, []).append(seconds)
    return {picture: median(seconds) for picture, seconds in sorted(seen.items())}


def _groups(measurements: Sequence[Measurement]) -> dict[tuple[str, int], list[Measurement]]:
    order = {contender.name: position for position, contender in enumerate(CONTENDERS)}
    groups: dict[tuple[str, int], list[Measurement]] = {}
    for one in sorted(measurements, key=lambda one: (one.concurrency, order[one.contender], one.round)):
        groups.setdefault((one.contender, one.concurrency), []).append(one)
    return groups


def _figures(group: Sequence[Measurement]) -> Figures:
    def spread(figure: Callable[[Measurement], float]) -> Spread:
        return Spread.of(figure(one) for one in group)

    def means(shares: Callable[[Measurement], dict[str, float]]) -> dict[str, float]:
        names = list(dict.fromkeys(name for one in group for name in shares(one)))
        return {name: fmean(shares(one).get(name, 0.0) / one.images for one in group) for name in names}

    return Figures(
        contender=group[0].contender,
        concurrency=group[0].concurrency,
        images=group[0].images,
        images_per_s=spread(lambda one: one.images_per_s),
        p50_s=spread(lambda one: one.latency_s(50)),
        p95_s=spread(lambda one: one.latency_s(95)),
        p99_s=spread(lambda one: one.latency_s(99)),
        cpu_s_per_image=spread(lambda one: one.cpu_s_per_image),
        peak_rss_bytes=spread(lambda one: sum(one.peak_rss_bytes.values())),
        stages_s_per_image=means(lambda one: one.stages_s),
        cpu_s_per_image_by_process=means(lambda one: one.cpu_by_process_s),
    )


def _ratio(ours: Sequence[Measurement], theirs: Sequence[Measurement]) -> Ratio:
    def spread(rate: Callable[[Measurement, Measurement], float]) -> Spread:
        return Spread.of(rate(one, other) for one, other in zip(ours, theirs, strict=True))

    return Ratio(
        contender=ours[0].contender,
        baseline=theirs[0].contender,
        concurrency=ours[0].concurrency,
        throughput=spread(lambda one, other: one.images_per_s / other.images_per_s),
        p50=spread(lambda one, other: other.latency_s(50) / one.latency_s(50)),
        p99=spread(lambda one, other: other.latency_s(99) / one.latency_s(99)),
        cpu=spread(lambda one, other: other.cpu_s_per_image / one.cpu_s_per_image),
    )
