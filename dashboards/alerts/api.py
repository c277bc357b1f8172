"""The read API of alerts."""

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import QueryParameter, SkipValidation

from contract.text import Text
from dashboards.access import Viewer
from dashboards.alerts.standing import Standing
from dashboards.alerts.telling import title_text, unit_of
from dashboards.answers import Refusal, table
from dashboards.services import Services
from sinks.wording import place_text

__all__ = ["AlertRow", "alerts"]

HttpRequest = Request[Any, Any, Any]
Shared = NamedDependency[SkipValidation[Services]]


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


_ANSWERS = {
    200: ResponseSpec(list[AlertRow], description="the worst first; CSV with ?format=csv or Accept: text/csv"),
    304: ResponseSpec(None, description="unchanged since the ETag in If-None-Match"),
    403: ResponseSpec(dict[str, Any], description="a unit that the token may not see"),
    404: ResponseSpec(dict[str, Any], description="an unknown unit"),
    503: ResponseSpec(dict[str, Any], description="the store is down; see Retry-After"),
}


@get("/api/alerts", sync_to_thread=False, responses=_ANSWERS)
def alerts(
    request: HttpRequest,
    services: Shared,
    unit: Annotated[
        list[str] | None, QueryParameter(name="unit", description="of this unit and those below; may be repeated")
    ] = None,
) -> Response[bytes]:
    """Return alerts that fire or are pending. A token limited to units sees those of its units alone."""
    viewer: Viewer = request.state.viewer
    for code in unit or ():
        if not services.access.allows(viewer, code):
            words = Text(f"mã truy cập này không xem được đơn vị {code}", f"this token may not see unit {code}")
            raise Refusal(403, words)
        if not services.pictures.known("unit", code):
            raise Refusal(
                404, Text(f"không có đơn vị {code!r}; xem /api/units", f"unknown unit {code!r}; see /api/units")
            )
    wanted = {below for code in unit or () for below in services.place.below(code)}
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
