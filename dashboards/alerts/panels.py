"""Panels of alerts: what fires, what is about to, what is muted."""

from collections.abc import Iterable, Iterator
from typing import Any

from contract.alert_words import SEVERITY_WORDS
from contract.text import Text, same
from dashboards.alerts.standing import Standing
from dashboards.alerts.telling import alert_figure, alert_limit, clock_text, title_text, unit_of
from dashboards.alerts.words import SEVERITY_STATES, A
from dashboards.panel import Content, Panel
from dashboards.view import View, text
from sinks.wording import fill, place_text

__all__ = ["alert_items", "alerts", "covered", "muted"]

_FEWEST = 6


def alerts(panel: Panel, view: View) -> dict[str, Any]:
    """Return the alerts that fire, or those that are pending: of the unit whose screen it is, or all."""
    wanted = panel.content is Content.ALERTS
    return _shown(panel, [_item(found, view) for found in _seen(view) if found.firing is wanted])


def muted(panel: Panel, view: View) -> dict[str, Any]:
    """Return the mutes in force, the one that ends first first."""
    items = [
        {
            "state": "none",
            "title": text(place_text(mute.scope, view.name)),
            "text": text(same(f"{mute.rule} · {mute.reason or '–'} ({mute.by})")),
            "right": text(fill(A["until"], at=clock_text(mute.until_us or 0, view.now_us))),
            "since_us": mute.at_us,
        }
        for mute in view.data.mutes
    ]
    return _shown(panel, items)


def alert_items(view: View) -> list[dict[str, Any]]:
    """Return the firing alerts as items of what needs attention; those that are muted come last."""
    firing = [found for found in _seen(view) if found.firing]
    return [_item(found, view) for found in sorted(firing, key=lambda found: found.muted is not None)]


def covered(view: View) -> frozenset[tuple[str, str]]:
    """Return (scope, indicator) of what fires: a list that shows its alert need not say it again."""
    return frozenset((found.alert.scope, found.alert.indicator) for found in _seen(view) if found.firing)


def _shown(panel: Panel, items: list[dict[str, Any]]) -> dict[str, Any]:
    room = panel.rows or _FEWEST
    return {"items": items[:room], "total": len(items), "left_out": max(0, len(items) - room)}


def _seen(view: View) -> Iterator[Standing]:
    """Yield the alerts that belong on the screen: on a unit's own those of it and of the units below."""
    found: Iterable[Standing] = view.data.alerts
    for one in found:
        if view.unit is None or unit_of(one.alert.scope) in view.units:
            yield one


def _item(found: Standing, view: View) -> dict[str, Any]:
    alert = found.alert
    title, place = title_text(found, view.name), place_text(alert.scope, view.name)
    # On its own screen a unit's name stands above everything.
    own = view.unit is not None and unit_of(alert.scope) == view.unit
    what = fill(
        same("{figure}, {limit}" if own else "{title}: {figure}, {limit}"),
        title=title,
        figure=alert_figure(alert, view.data.rates.get((alert.scope, alert.indicator, alert.window))),
        limit=alert_limit(alert),
    )
    return {
        "state": SEVERITY_STATES[alert.severity],
        "title": text(
            fill(same("{severity} · {what}"), severity=SEVERITY_WORDS[alert.severity], what=title if own else place)
        ),
        "text": text(what),
        "right": text(_right(found, view.now_us)),
        "since_us": alert.since_us,
    }


def _right(found: Standing, now_us: int) -> Text:
    if not found.firing:
        return A["pending"]
    if found.muted is not None:
        return fill(A["muted_until"], at=clock_text(found.muted.until_us or 0, now_us))
    if found.acknowledged is not None:
        return fill(A["acked_at"], by=found.acknowledged.by, at=clock_text(found.acknowledged.at_us, now_us))
    return A["nobody"]
