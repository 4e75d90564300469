"""What a dashboard consists of.

``generate.py`` writes the dashboards, and the tests ask a real Prometheus each of their queries.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Needs = Literal["traffic", "gpu", "trouble"]
"""What has to happen before a query has an answer: images, a GPU, or something going wrong."""


@dataclass(frozen=True, slots=True)
class Query:
    """One line, or family of lines, of a panel.

    Attributes:
        promql: Asked of Prometheus; ``$__rate_interval`` is Grafana's.
        legend: Name of a line, with ``{{label}}``.
        needs: When it has an answer.
    """

    promql: str
    legend: str
    needs: Needs = "traffic"


@dataclass(frozen=True, slots=True)
class Panel:
    """One graph.

    Attributes:
        title: What is drawn.
        unit: Grafana's name of the axis' unit.
        queries: Its lines.
        about: What to think of it; empty where the title says it all.
    """

    title: str
    unit: str
    queries: tuple[Query, ...]
    about: str = ""


@dataclass(frozen=True, slots=True)
class Board:
    """One dashboard.

    Attributes:
        uid: Part of its address.
        title: Its name.
        rows: Title and panels of each row.
    """

    uid: str
    title: str
    rows: tuple[tuple[str, tuple[Panel, ...]], ...]
