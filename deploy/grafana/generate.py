"""Write ``dashboards/*.json`` from the boards beside this file: ``make dashboards``.

The library is Grafana's own, so that names and shapes are those that Grafana reads.
"""

from __future__ import annotations

import itertools
import json
from pathlib import Path

from engines_board import ENGINES
from grafana_foundation_sdk.builders import common, dashboard, prometheus, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import LegendDisplayMode, LegendPlacement, TooltipDisplayMode
from grafana_foundation_sdk.models.dashboard import DashboardCursorSync, DataSourceRef
from panels import Board, Panel
from service_board import SERVICE

BOARDS = (SERVICE, ENGINES)
FOLDER = Path(__file__).with_name("dashboards")
_SOURCE = DataSourceRef(type_val="prometheus", uid="prometheus")
_ALL = TooltipDisplayMode(TooltipDisplayMode.MULTI)
_COLUMNS = 24
_HEIGHT = 8


def written(board: Board) -> str:
    """Return a dashboard as the JSON that Grafana is provisioned with."""
    built = (
        dashboard.Dashboard(board.title)
        .uid(board.uid)
        .tags(["alphacut"])
        .readonly()
        .refresh("10s")
        .time("now-1h", "now")
        .timezone("browser")
        .tooltip(DashboardCursorSync.CROSSHAIR)
    )
    numbers = itertools.count(1)
    for title, panels in board.rows:
        built.with_row(dashboard.Row(title).id(next(numbers)))
        for panel in panels:
            built.with_panel(_drawn(panel, _COLUMNS // min(3, len(panels))).id(next(numbers)))
    return json.dumps(built.build(), cls=JSONEncoder, sort_keys=True, indent=1) + "\n"


def path(board: Board) -> Path:
    """Return where a dashboard lies."""
    return FOLDER / f"{board.uid.removeprefix('alphacut-')}.json"


def _drawn(panel: Panel, width: int) -> timeseries.Panel:
    drawn: timeseries.Panel = (
        timeseries.Panel()
        .title(panel.title)
        .description(panel.about)
        .unit(panel.unit)
        .min(0)
        .datasource(_SOURCE)
        .span(width)
        .height(_HEIGHT)
        .fill_opacity(10)
        .legend(
            common.VizLegendOptions()
            .show_legend(True)
            .display_mode(LegendDisplayMode.LIST)
            .placement(LegendPlacement.BOTTOM)
        )
        .tooltip(common.VizTooltipOptions().mode(_ALL))
    )
    for number, query in enumerate(panel.queries):
        drawn.with_target(
            prometheus.Dataquery().expr(query.promql).legend_format(query.legend).range().ref_id(chr(ord("A") + number))
        )
    return drawn


if __name__ == "__main__":
    for each in BOARDS:
        path(each).write_text(written(each))
