"""The read API: screens, rates, series, units and sources, and the stream of events. The wall uses nothing else."""

from collections.abc import AsyncIterator, Sequence
from typing import Annotated

import msgspec
import orjson
from litestar import MediaType, Response, get
from litestar.params import FromPath, FromQuery, QueryParameter
from litestar.response import Stream

from contract.registry import INDICATORS
from contract.windows import WINDOWS
from contract.words import Text
from dashboards.access import Viewer
from dashboards.answers import Refusal, answer, table
from dashboards.asked import HttpRequest, Shared, Unit, rows_of, seen_unit, units_below
from dashboards.data import Data
from dashboards.pictures import UNIT
from dashboards.series import SPANS, SeriesRow
from dashboards.services import Services
from sinks.reads import SourceAge

__all__ = ["HANDLERS"]


class RateRow(msgspec.Struct, frozen=True):
    """One published figure; ``rate`` is null when nothing was counted."""

    scope: str
    unit: str | None
    name_vi: str
    name_en: str
    indicator: str
    window: str
    numerator: int
    denominator: int
    rate: float | None
    as_of_us: int | None


class UnitRow(msgspec.Struct, frozen=True):
    """One unit of the table of units."""

    code: str
    parent: str | None
    kind: str
    name_vi: str
    name_en: str


class SourceRow(msgspec.Struct, frozen=True):
    """When a source last spoke for a unit, and how long it may be silent."""

    source: str
    unit: str
    topic: str
    seen_us: int
    event_us: int
    age_s: int
    expected_s: int
    state: str
    events: int
    ignored: int


@get("/api/screens", sync_to_thread=False)
def screens(request: HttpRequest, services: Shared) -> Response[bytes]:
    """List the screens that may be seen, in their order."""
    viewer: Viewer = request.state.viewer
    rows = [{"screen": row["id"], **row} for row in services.pictures.screens(viewer.units)]
    return answer(request, orjson.dumps(rows), MediaType.JSON)


@get("/api/screens/{screen:str}", sync_to_thread=False)
def screen(request: HttpRequest, services: Shared, screen: FromPath[str]) -> Response[bytes]:
    """Return one screen as its page shows it."""
    return _screen(request, services, screen, None)


@get("/api/screens/unit/{code:str}", sync_to_thread=False)
def unit_screen(request: HttpRequest, services: Shared, code: FromPath[str]) -> Response[bytes]:
    """Return the screen of one unit."""
    return _screen(request, services, UNIT, code)


@get("/api/events", sync_to_thread=False)
def events(request: HttpRequest, services: Shared, screen: FromQuery[str] = "overview") -> Stream:
    """Stream a screen: event ``screen`` at once and with every change, event ``beat`` each second."""
    key, _, code = screen.partition("/")
    found = (key, code or None)
    viewer: Viewer = request.state.viewer
    _may_see(services, viewer, *found)
    if not services.pictures.known(*found):
        raise _unknown_screen(screen)
    return Stream(
        _stream(services, viewer, *found),
        media_type="text/event-stream",
        # Proxies must pass each event on as it comes.
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


@get("/api/rates", sync_to_thread=False, responses=rows_of(RateRow, "current figures"))
def rates(
    request: HttpRequest,
    services: Shared,
    unit: Unit = None,
    field: Annotated[list[str] | None, QueryParameter(name="field", description="field; may be repeated")] = None,
    indicator: Annotated[list[str] | None, QueryParameter(name="indicator")] = None,
    window: Annotated[list[str] | None, QueryParameter(name="window")] = None,
) -> Response[bytes]:
    """Return current figures; without ``unit`` and ``field`` those of the province."""
    viewer: Viewer = request.state.viewer
    for key in indicator or ():
        _known_indicator(key)
    for key in window or ():
        _known_window(key, WINDOWS)
    codes = (unit or []) if unit or field else [services.place.province]
    for code in codes:
        seen_unit(services, viewer, code)
    if field:
        _whole(viewer)
    data = services.live()
    scopes = [*(f"unit:{code}" for code in codes), *(f"field:{name}" for name in field or ())]
    rows = [
        _rate(services, data, (scope, key, span))
        for scope in dict.fromkeys(scopes)
        for key in indicator or INDICATORS
        for span in window or WINDOWS
        if (scope, key, span) in data.rates
    ]
    if field and not rows:
        raise Refusal(404, Text("lĩnh vực này chưa có số liệu", "there are no figures of this field"))
    return table(request, rows, RateRow)


@get("/api/series", responses=rows_of(SeriesRow, "marks over time"))
async def series(
    request: HttpRequest,
    services: Shared,
    indicator: FromQuery[str],
    unit: FromQuery[str | None] = None,
    window: FromQuery[str] = "today",
) -> Response[bytes]:
    """Return one indicator of a unit over time: half hours of today, hours of 7d, days of 30d."""
    code = unit or services.place.province
    seen_unit(services, request.state.viewer, code)
    _known_indicator(indicator)
    _known_window(window, SPANS)
    services.live()
    rows = await services.series.read(f"unit:{code}", indicator, window)
    return table(request, rows, SeriesRow)


@get("/api/units", sync_to_thread=False, responses=rows_of(UnitRow, "units"))
def units(request: HttpRequest, services: Shared, unit: Unit = None) -> Response[bytes]:
    """Return the units of the province, or those under the given ones."""
    viewer: Viewer = request.state.viewer
    roots = unit or [services.place.province]
    for code in unit or ():
        seen_unit(services, viewer, code)
    tree = services.place.tree
    codes = dict.fromkeys(code for root in roots for code in tree.subtree(root))
    rows = [
        UnitRow(row.code, row.parent, row.kind, row.name_vi, row.name_en)
        for code in codes
        if (row := tree.get(code)) is not None and services.access.allows(viewer, code)
    ]
    return table(request, rows, UnitRow)


@get("/api/sources", sync_to_thread=False, responses=rows_of(SourceRow, "sources"))
def sources(request: HttpRequest, services: Shared, unit: Unit = None) -> Response[bytes]:
    """Return when every source last spoke for each unit."""
    data, viewer = services.live(), request.state.viewer
    wanted = units_below(services, viewer, unit)
    rows = [
        _source(services, row)
        for row in data.sources
        if (not unit or row.unit in wanted) and services.access.allows(viewer, row.unit)
    ]
    return table(request, rows, SourceRow)


HANDLERS = [screens, screen, unit_screen, events, rates, series, units, sources]


async def _stream(services: Services, viewer: Viewer, screen: str, unit: str | None) -> AsyncIterator[bytes]:
    sent = 0
    while services.access.still(viewer):
        frame = services.pictures.frame(screen, unit)
        if frame is None:
            return
        # One write for both: a hundred screens cost a hundred writes a second.
        yield services.pictures.beat() if frame.version == sent else frame.event + services.pictures.beat()
        sent = frame.version
        await services.reader.ticked()


def _screen(request: HttpRequest, services: Services, screen: str, unit: str | None) -> Response[bytes]:
    _may_see(services, request.state.viewer, screen, unit)
    frame = services.pictures.frame(screen, unit)
    if frame is None:
        raise _unknown_screen(screen if unit is None else f"{screen}/{unit}")
    services.live()
    return answer(request, frame.body, MediaType.JSON, frame.etag)


def _rate(services: Services, data: Data, key: tuple[str, str, str]) -> RateRow:
    scope, indicator, window = key
    good, count = data.rates[key]
    code = scope.removeprefix("unit:") if scope.startswith("unit:") else None
    name = Text(scope, scope) if code is None else services.place.name(code)
    as_of_us = data.beat.as_of_us if data.beat else None
    rate = good / count if count else None
    return RateRow(scope, code, name.vi, name.en, indicator, window, good, count, rate, as_of_us)


def _source(services: Services, row: SourceAge) -> SourceRow:
    view = services.view()
    return SourceRow(
        row.source,
        row.unit,
        row.topic,
        row.seen_us,
        row.event_us,
        view.age_s(row.seen_us),
        services.targets.expected_s(row.source),
        view.source_state(row.source, row.seen_us),
        row.events,
        row.ignored,
    )


def _may_see(services: Services, viewer: Viewer, screen: str, unit: str | None) -> None:
    """Refuse what a viewer limited to units must not see: other units, and every screen of the whole province."""
    if screen != UNIT or unit is None:
        _whole(viewer)
    elif not services.access.allows(viewer, unit):
        raise Refusal(
            403, Text(f"mã truy cập này không xem được đơn vị {unit}", f"this token may not see unit {unit}")
        )


def _whole(viewer: Viewer) -> None:
    if viewer.units is not None:
        own = ", ".join(viewer.units)
        raise Refusal(
            403,
            Text(f"mã truy cập này chỉ xem được /wall/unit/…: {own}", f"this token may only see /wall/unit/…: {own}"),
        )


def _known_indicator(key: str) -> None:
    if key not in INDICATORS:
        known = ", ".join(INDICATORS)
        raise Refusal(404, Text(f"không có chỉ số {key!r}: {known}", f"unknown indicator {key!r}: {known}"))


def _known_window(key: str, known: Sequence[str]) -> None:
    if key not in known:
        keys = ", ".join(known)
        raise Refusal(404, Text(f"không có kỳ {key!r}: {keys}", f"unknown window {key!r}: {keys}"))


def _unknown_screen(name: str) -> Refusal:
    return Refusal(
        404, Text(f"không có màn hình {name!r}; xem /api/screens", f"unknown screen {name!r}; see /api/screens")
    )
