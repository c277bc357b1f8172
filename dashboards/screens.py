"""Every screen and panel, defined once: the wall, the read API and the Grafana renderer all read this list."""

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from contract.registry import INDICATORS
from contract.words import Text

__all__ = [
    "COLUMNS",
    "LIMIT_S",
    "ROWS",
    "SCREENS",
    "UNIT_SCREEN",
    "Content",
    "Form",
    "Grid",
    "Panel",
    "ScopeKind",
    "Screen",
    "screen",
]

COLUMNS, ROWS = 12, 10
"""The grid of a screen of 16:9."""
LIMIT_S = 30
"""Figures older than this are grey: roll beats every second, and a worker that is killed is back in half of it."""
SLOW_LIMIT_S = 60
"""For what is read less often, such as the list of the most overdue."""


class Form(Enum):
    """How a panel is drawn."""

    HEADLINE = "headline"
    ATTENTION = "attention"
    LEAGUE = "league"
    BARS = "bars"
    SHARES = "shares"
    RATES = "rates"
    LIST = "list"
    AGES = "ages"
    FACTS = "facts"


class Content(Enum):
    """What a panel shows."""

    RATE = "rate"
    """One indicator's figure against its target."""
    ATTENTION = "attention"
    """What misses its target now, stale sources, due soon."""
    LEAGUE = "league"
    """Units of one kind by one indicator."""
    PER_HOUR = "per_hour"
    """Marks per hour of the local day: those of each indicator (dossiers), or all and good ones (one indicator)."""
    AGEING = "ageing"
    """Open dossiers by the time left until they are due."""
    BY_FIELD = "by_field"
    """One indicator in every field."""
    MOST_OVERDUE = "most_overdue"
    """Codes of the dossiers that are overdue for longest."""
    SOURCES = "sources"
    """Every source's age against what is expected."""
    UNITS = "units"
    """Every unit's age against what is expected, the longest silent first."""
    PIPELINE = "pipeline"
    """Facts of the pipeline: age of the figures, lag, dead letters."""
    DEAD_LETTERS = "dead_letters"
    """Refused records by reason."""


class ScopeKind(Enum):
    """Of whom a panel tells."""

    PROVINCE = "province"
    UNIT = "unit"
    DEPARTMENTS = "departments"
    COMMUNES = "communes"
    FIELD = "field"


class Grid(NamedTuple):
    """Place on the grid of a screen, in columns and rows from the top left."""

    x: int
    y: int
    w: int
    h: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One panel.

    ``key`` is unique within its screen. ``window`` is one of contract.windows.WINDOWS, None where none applies.
    ``limit_s``: the age of its data in seconds from which the panel is grey. ``rows``: at most so many lines.
    """

    key: str
    form: Form
    content: Content
    names: Text
    grid: Grid
    indicators: tuple[str, ...] = ()
    scope: ScopeKind = ScopeKind.PROVINCE
    window: str | None = None
    limit_s: int = LIMIT_S
    rows: int = 0


@dataclass(frozen=True, slots=True)
class Screen:
    """One screen; ``key`` stands in addresses."""

    key: str
    names: Text
    panels: tuple[Panel, ...]


_WINDOW_OF = {"overdue": "now", "due_soon": "now", "paperless_meeting": "7d"}
"""What a headline shows when its panel does not say: today, but meetings are too few in one day."""


def _headline(
    indicator: str,
    grid: Grid,
    window: str | None = None,
    names: Text | None = None,
    scope: ScopeKind = ScopeKind.PROVINCE,
) -> Panel:
    found = INDICATORS[indicator]
    return Panel(
        key=indicator if window is None else f"{indicator}_{window}",
        form=Form.HEADLINE,
        content=Content.RATE,
        names=names or Text(found.name_vi, found.name_en),
        grid=grid,
        indicators=(indicator,),
        scope=scope,
        window=window or _WINDOW_OF.get(indicator, "today"),
    )


def _headlines(y: int, h: int, scope: ScopeKind = ScopeKind.PROVINCE) -> tuple[Panel, ...]:
    order = ("on_time", "online", "online_payment", "paperless_meeting", "overdue", "due_soon")
    return tuple(_headline(key, Grid(2 * n, y, 2, h), scope=scope) for n, key in enumerate(order))


def _league(key: str, scope: ScopeKind, indicator: str, grid: Grid, rows: int, window: str | None = None) -> Panel:
    name = INDICATORS[indicator]
    who = Text("Xã, phường", "Communes") if scope is ScopeKind.COMMUNES else Text("Sở, ngành", "Departments")
    return Panel(
        key=key,
        form=Form.LEAGUE,
        content=Content.LEAGUE,
        names=Text(f"{who.vi} · {name.name_vi.lower()}", f"{who.en} · {name.name_en.lower()}"),
        grid=grid,
        indicators=(indicator,),
        scope=scope,
        window=window or ("now" if indicator in ("overdue", "due_soon") else "30d"),
        rows=rows,
    )


def _per_hour(names: Text, indicators: tuple[str, ...], grid: Grid, scope: ScopeKind = ScopeKind.PROVINCE) -> Panel:
    return Panel(
        key="per_hour",
        form=Form.BARS,
        content=Content.PER_HOUR,
        names=names,
        grid=grid,
        indicators=indicators,
        scope=scope,
        window="today",
    )


def _ageing(grid: Grid, scope: ScopeKind = ScopeKind.PROVINCE) -> Panel:
    return Panel(
        key="ageing",
        form=Form.SHARES,
        content=Content.AGEING,
        names=Text("Đang xử lý", "Open dossiers"),
        grid=grid,
        indicators=("overdue",),
        scope=scope,
        window="now",
    )


def _most_overdue(grid: Grid, rows: int, scope: ScopeKind = ScopeKind.PROVINCE) -> Panel:
    return Panel(
        key="most_overdue",
        form=Form.LIST,
        content=Content.MOST_OVERDUE,
        names=Text("Quá hạn lâu nhất", "Overdue for longest"),
        grid=grid,
        indicators=("overdue",),
        scope=scope,
        window="now",
        limit_s=SLOW_LIMIT_S,
        rows=rows,
    )


def _sources(grid: Grid, rows: int, scope: ScopeKind = ScopeKind.PROVINCE) -> Panel:
    names = Text("Nguồn dữ liệu", "Data sources")
    return Panel(
        key="sources", form=Form.AGES, content=Content.SOURCES, names=names, grid=grid, scope=scope, rows=rows
    )


_DOSSIERS_PER_HOUR = Text("Hồ sơ theo giờ", "Dossiers per hour")
_PAYMENTS_PER_HOUR = Text("Thanh toán theo giờ", "Payments per hour")
_MEETINGS_PER_HOUR = Text("Cuộc họp theo giờ", "Meetings per hour")


def _rate_screen(key: str, names: Text, indicator: str, windows: tuple[str, ...], per_hour: Text) -> Screen:
    """One indicator in four windows, by hour, and both leagues."""
    from_words = {
        "today": Text("Hôm nay", "Today"),
        "7d": Text("7 ngày", "7 days"),
        "30d": Text("30 ngày", "30 days"),
        "month": Text("Tháng này", "This month"),
        "year": Text("Năm nay", "This year"),
    }
    return Screen(
        key,
        names,
        (
            *(
                _headline(indicator, Grid(3 * n, 0, 3, 5), window, from_words[window])
                for n, window in enumerate(windows)
            ),
            _per_hour(per_hour, (indicator,), Grid(0, 5, 4, 5)),
            _league("departments", ScopeKind.DEPARTMENTS, indicator, Grid(4, 5, 4, 5), 8),
            _league("communes", ScopeKind.COMMUNES, indicator, Grid(8, 5, 4, 5), 8),
        ),
    )


SCREENS: tuple[Screen, ...] = (
    Screen(
        "overview",
        Text("Tổng quan", "Overview"),
        (
            *_headlines(0, 5),
            Panel(
                key="attention",
                form=Form.ATTENTION,
                content=Content.ATTENTION,
                names=Text("Cần chú ý", "Needs attention"),
                grid=Grid(0, 5, 5, 4),
                indicators=tuple(INDICATORS),
                rows=6,
            ),
            _league("communes", ScopeKind.COMMUNES, "on_time", Grid(5, 5, 4, 4), 7),
            _per_hour(_DOSSIERS_PER_HOUR, ("online", "on_time"), Grid(9, 5, 3, 2)),
            _ageing(Grid(9, 7, 3, 2)),
            _sources(Grid(0, 9, 12, 1), 6),
        ),
    ),
    Screen(
        "dossiers",
        Text("Hồ sơ", "Dossiers"),
        (
            *(
                _headline(key, Grid(3 * n, 0, 3, 4))
                for n, key in enumerate(("on_time", "online", "overdue", "due_soon"))
            ),
            _per_hour(_DOSSIERS_PER_HOUR, ("online", "on_time"), Grid(0, 4, 4, 3)),
            _ageing(Grid(0, 7, 4, 3)),
            Panel(
                key="by_field",
                form=Form.RATES,
                content=Content.BY_FIELD,
                names=Text("Đúng hạn theo lĩnh vực", "On time by field"),
                grid=Grid(4, 4, 4, 6),
                indicators=("on_time",),
                scope=ScopeKind.FIELD,
                window="30d",
                rows=10,
            ),
            _most_overdue(Grid(8, 4, 4, 6), 10),
        ),
    ),
    _rate_screen(
        "payments",
        Text("Thanh toán", "Payments"),
        "online_payment",
        ("today", "7d", "30d", "month"),
        _PAYMENTS_PER_HOUR,
    ),
    _rate_screen(
        "meetings",
        Text("Họp không giấy tờ", "Paperless meetings"),
        "paperless_meeting",
        ("today", "7d", "30d", "year"),
        _MEETINGS_PER_HOUR,
    ),
    Screen(
        "units",
        Text("Đơn vị", "Units"),
        (
            _league("departments_on_time", ScopeKind.DEPARTMENTS, "on_time", Grid(0, 0, 4, 10), 16),
            _league("communes_on_time", ScopeKind.COMMUNES, "on_time", Grid(4, 0, 4, 10), 16),
            _league("departments_overdue", ScopeKind.DEPARTMENTS, "overdue", Grid(8, 0, 4, 5), 7),
            _league("communes_overdue", ScopeKind.COMMUNES, "overdue", Grid(8, 5, 4, 5), 7),
        ),
    ),
    Screen(
        "sources",
        Text("Nguồn dữ liệu", "Data sources"),
        (
            _sources(Grid(0, 0, 6, 6), 12),
            Panel(
                key="units",
                form=Form.AGES,
                content=Content.UNITS,
                names=Text("Đơn vị im lặng lâu nhất", "Units silent for longest"),
                grid=Grid(6, 0, 6, 6),
                rows=12,
            ),
            Panel(
                key="pipeline",
                form=Form.FACTS,
                content=Content.PIPELINE,
                names=Text("Đường truyền số liệu", "Pipeline"),
                grid=Grid(0, 6, 6, 4),
            ),
            Panel(
                key="dead_letters",
                form=Form.LIST,
                content=Content.DEAD_LETTERS,
                names=Text("Bản tin bị từ chối theo lý do", "Dead letters by reason"),
                grid=Grid(6, 6, 6, 4),
                limit_s=SLOW_LIMIT_S,
                rows=6,
            ),
        ),
    ),
)

UNIT_SCREEN = Screen(
    "unit",
    Text("Đơn vị", "Unit"),
    (
        *_headlines(0, 5, ScopeKind.UNIT),
        _per_hour(_DOSSIERS_PER_HOUR, ("online", "on_time"), Grid(0, 5, 4, 4), ScopeKind.UNIT),
        _ageing(Grid(4, 5, 3, 4), ScopeKind.UNIT),
        _most_overdue(Grid(7, 5, 5, 4), 6, ScopeKind.UNIT),
        _sources(Grid(0, 9, 12, 1), 6, ScopeKind.UNIT),
    ),
)
"""The screen of one unit; its scope UNIT stands for the unit in the address."""

_BY_KEY = {found.key: found for found in SCREENS}


def screen(key: str) -> Screen:
    """Return the screen with that key; KeyError names the known ones."""
    if key not in _BY_KEY:
        raise KeyError(f"unknown screen {key!r}; known: {', '.join(_BY_KEY)}")
    return _BY_KEY[key]
