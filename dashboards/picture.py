"""From data to what a screen shows: pure functions from definition, data and clock to documents."""

from collections.abc import Callable, Mapping
from typing import Any

from contract.words import Text
from dashboards import figures, lists
from dashboards.alerts import panels
from dashboards.screens import Content, Panel, Screen
from dashboards.view import View, text

__all__ = ["content_of", "screen_document"]

_DRAW: Mapping[Content, Callable[[Panel, View], dict[str, Any]]] = {
    Content.RATE: figures.headline,
    Content.LEAGUE: figures.league,
    Content.BY_FIELD: figures.by_field,
    Content.PER_HOUR: figures.per_hour,
    Content.AGEING: figures.ageing,
    Content.ATTENTION: lists.attention,
    Content.MOST_OVERDUE: lists.most_overdue,
    Content.DEAD_LETTERS: lists.dead_letters,
    Content.SOURCES: lists.ages,
    Content.UNITS: lists.ages,
    Content.PIPELINE: lists.pipeline,
    Content.ALERTS: panels.alerts,
    Content.PENDING: panels.alerts,
    Content.MUTED: panels.muted,
}

_PASSING = frozenset({"now_us", "as_of_us", "measured_us", "age_s"})
"""What changes with the clock alone."""


def screen_document(screen: Screen, view: View, build: str) -> dict[str, Any]:
    """Return the whole screen as its readers get it."""
    beat = view.data.beat
    name = view.name(view.code)
    return {
        "screen": screen.key if view.unit is None else f"unit/{view.unit}",
        "title": text(screen.names if view.unit is None else name),
        "place": text(view.name(view.place.province)),
        "as_of_us": None if beat is None else beat.as_of_us,
        "now_us": view.now_us,
        "build": build,
        "panels": [_panel(panel, view) for panel in screen.panels],
    }


def content_of(document: Any) -> Any:
    """Return a document without what passes with the clock: two of them are equal when the figures are."""
    if isinstance(document, dict):
        return {key: content_of(value) for key, value in document.items() if key not in _PASSING}
    if isinstance(document, list):
        return [content_of(value) for value in document]
    return document


def _panel(panel: Panel, view: View) -> dict[str, Any]:
    grid = panel.grid
    return {
        "id": panel.key,
        "form": panel.form.value,
        "title": text(Text(*panel.names)),
        "grid": {"x": grid.x, "y": grid.y, "w": grid.w, "h": grid.h},
        "note": None,
        "window": panel.window,
        "measured_us": view.measured_us(panel),
        "limit_s": panel.limit_s,
        **_DRAW[panel.content](panel, view),
    }
