"""The universal scalability law: throughput by the number of callers."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from alphacut_core.errors import InvalidOptionError


@dataclass(frozen=True, slots=True)
class Usl:
    """X(N) = lambda N / (1 + sigma (N - 1) + kappa N (N - 1)).

    N. J. Gunther, Guerrilla Capacity Planning, Springer 2007, chapters 4 to 6.

    Attributes:
        lambda_per_s: What one caller gets.
        sigma: Contention: the share of the work that cannot be done side by side.
        kappa: Coherency: what every pair of callers costs; above 0 throughput falls again beyond a peak.
        error: Root mean square of the relative deviations of the points from the curve.
    """

    lambda_per_s: float
    sigma: float
    kappa: float
    error: float

    def throughput_per_s(self, callers: float) -> float:
        """Return X(N)."""
        slowed = 1 + self.sigma * (callers - 1) + self.kappa * callers * (callers - 1)
        return self.lambda_per_s * callers / slowed

    @property
    def peak_callers(self) -> float:
        """Callers beyond whom throughput falls; infinite without coherency cost."""
        return math.sqrt(max(0.0, 1 - self.sigma) / self.kappa) if self.kappa else math.inf

    @property
    def limit_per_s(self) -> float:
        """The highest throughput at any number of callers."""
        if not self.kappa:
            # Above 1, work done side by side hinders itself, and one caller gets the most.
            return self.lambda_per_s / min(1.0, self.sigma) if self.sigma else math.inf
        return self.throughput_per_s(max(1.0, self.peak_callers))

    @property
    def knee_callers(self) -> float:
        """Callers at whom the line of no waiting meets the highest throughput; more only wait longer."""
        return self.limit_per_s / self.lambda_per_s


def check_callers(callers: Iterable[float]) -> None:
    """Refuse fewer than three different numbers of callers, with an InvalidOptionError."""
    if len(set(callers)) < 3:
        raise InvalidOptionError(f"got {len(set(callers))} numbers of callers; the law has three parameters, give more")


def fit(points: Sequence[tuple[float, float]]) -> Usl:
    """Fit the law to numbers of callers and throughputs.

    N / X is linear in 1 / lambda, sigma / lambda and kappa / lambda, none of which is negative: of the least-squares
    fits with some of the last two held at 0, the best one without negative numbers is the answer. Deviations are
    relative, so that few callers weigh as much as many.

    Raises:
        InvalidOptionError: There are fewer than three different numbers of callers.
    """
    callers, throughput = (np.asarray(column, dtype=np.float64) for column in zip(*points, strict=True))
    check_callers(callers)
    columns = np.stack([np.ones_like(callers), callers - 1, callers * (callers - 1)], axis=1)
    weight = throughput / callers
    best: tuple[float, np.ndarray] | None = None
    for chosen in itertools.chain.from_iterable(itertools.combinations((1, 2), size) for size in (2, 1, 0)):
        kept = [0, *chosen]
        solved = np.linalg.lstsq(columns[:, kept] * weight[:, None], np.ones_like(weight), rcond=None)[0]
        if solved.min() < 0:
            continue
        coefficients = np.zeros(3)
        coefficients[kept] = solved
        error = float(np.sqrt(np.mean(((columns @ coefficients) * weight - 1) ** 2)))
        if best is None or error < best[0] - 1e-12:
            best = error, coefficients
    if best is None or best[1][0] <= 0:
        raise InvalidOptionError(f"got {list(points)}, which no such law fits; measure more callers")
    error, (each, sigma, kappa) = best
    return Usl(float(1 / each), float(sigma / each), float(kappa / each), error)
