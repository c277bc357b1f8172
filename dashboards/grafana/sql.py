"""The statements of every panel: which columns a form gets is decided here, for both languages alike."""

from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple

from dashboards.grafana import sql_alerts, sql_flow, sql_rates, sql_sources
from dashboards.grafana.place import Place
from dashboards.grafana.query import QueryType
from dashboards.screens import Content, Panel

__all__ = ["Statement", "statement", "trend"]


class Statement(NamedTuple):
    """SQL and how the plugin hands on its answer."""

    sql: str
    query_type: QueryType = "table"


_OF: Final[dict[Content, Callable[[Panel, Place], str]]] = {
    Content.RATE: sql_rates.headline,
    Content.LEAGUE: sql_rates.league,
    Content.BY_FIELD: sql_rates.league,
    Content.ATTENTION: sql_rates.attention,
    Content.PER_HOUR: sql_flow.per_hour,
    Content.AGEING: sql_flow.ageing,
    Content.MOST_OVERDUE: sql_flow.most_overdue,
    Content.SOURCES: partial(sql_sources.ages, by="source"),
    Content.UNITS: partial(sql_sources.ages, by="unit"),
    Content.PIPELINE: sql_sources.pipeline,
    Content.DEAD_LETTERS: sql_sources.dead_letters,
    Content.ALERTS: sql_alerts.alerts,
    Content.PENDING: sql_alerts.alerts,
    Content.MUTED: sql_alerts.muted,
}


def statement(panel: Panel, place: Place) -> Statement:
    """Return the statement of a panel."""
    return Statement(_OF[panel.content](panel, place))


def trend(panel: Panel, place: Place) -> Statement:
    """Return the history under a headline."""
    return Statement(sql_rates.trend(panel, place), "timeseries")
