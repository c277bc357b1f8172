"""The read API of alerts."""

import msgspec
from litestar import Response, get

from dashboards.access import Viewer
from dashboards.alerts.standing import Standing
from dashboards.alerts.telling import title_text, unit_of
from dashboards.answers import table
from dashboards.asked import HttpRequest, Shared, Unit, rows_of, units_below
from dashboards.services import Services
from sinks.wording import place_text

__all__ = ["AlertRow", "alerts"]


class AlertRow(msgspec.Struct, frozen=True, kw_only=True):
    """One alert that is pending or firing; ``rate`` is null when nothing was counted, and is no share of a gauge."""

    id: str
    state: str
    severity: str
    rule: str
    title_vi: str
    title_en: str
    scope: str
    unit: str | None
    name_vi: str
    name_en: str
    indicator: str
    window: str
    numerator: int
    denominator: int
    rate: float | None
    threshold: float
    since_us: int
    fired_us: int | None
    acknowledged_by: str | None
    acknowledged_us: int | None
    muted_until_us: int | None


@get("/api/alerts", sync_to_thread=False, responses=rows_of(AlertRow, "the worst first"))
def alerts(request: HttpRequest, services: Shared, unit: Unit = None) -> Response[bytes]:
    """Return alerts that fire or are pending. A token limited to units sees those of its units alone."""
    viewer: Viewer = request.state.viewer
    wanted = units_below(services, viewer, unit)
    rows = [
        _row(services, found)
        for found in services.live().alerts
        if (not unit or unit_of(found.alert.scope) in wanted) and _seen(services, viewer, found)
    ]
    return table(request, rows, AlertRow)


def _seen(services: Services, viewer: Viewer, found: Standing) -> bool:
    code = unit_of(found.alert.scope)
    return viewer.units is None if code is None else services.access.allows(viewer, code)


def _row(services: Services, found: Standing) -> AlertRow:
    alert, acked, muted = found.alert, found.acknowledged, found.muted
    now = services.reader.data.rates.get((alert.scope, alert.indicator, alert.window))
    good, count = now or (alert.numerator, alert.denominator)
    title, name = title_text(found, services.place.name), place_text(alert.scope, services.place.name)
    return AlertRow(
        id=alert.id,
        state=alert.state.value,
        severity=alert.severity,
        rule=alert.rule,
        title_vi=title.vi,
        title_en=title.en,
        scope=alert.scope,
        unit=unit_of(alert.scope),
        name_vi=name.vi,
        name_en=name.en,
        indicator=alert.indicator,
        window=alert.window,
        numerator=good,
        denominator=count,
        rate=good / count if count else None,
        threshold=alert.threshold,
        since_us=alert.since_us,
        fired_us=alert.fired_us,
        acknowledged_by=acked.by if acked else None,
        acknowledged_us=acked.at_us if acked else None,
        muted_until_us=muted.until_us if muted else None,
    )
