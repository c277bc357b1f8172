"""Every screen and panel, defined once: the wall, the read API and the Grafana renderer all read this list."""

from contract.dossier import DOSSIER
from contract.registry import INDICATORS, KINDS
from contract.text import Text
from dashboards.alerts.screen import ALERTS_SCREEN, unit_alerts
from dashboards.kind_screen import headline, kind_screen, league, per_hour
from dashboards.panel import (
    COLUMNS,
    LIMIT_S,
    ROWS,
    SLOW_LIMIT_S,
    Content,
    Form,
    Grid,
    Panel,
    ScopeKind,
    Screen,
)

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


def _headlines(y: int, h: int, scope: ScopeKind = ScopeKind.PROVINCE) -> tuple[Panel, ...]:
    """Return the headlines that indicators declare for the overview, in their order, two columns each."""
    placed = sorted((i.overview, i.key) for i in INDICATORS.values() if i.overview is not None)
    return tuple(headline(INDICATORS[key], Grid(2 * n, y, 2, h), scope=scope) for n, (_, key) in enumerate(placed))


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
_OVERDUE = INDICATORS["overdue"]
_ON_TIME = INDICATORS["on_time"]

_OVERVIEW = Screen(
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
        league("communes", ScopeKind.COMMUNES, _ON_TIME, Grid(5, 5, 4, 4), 7),
        per_hour(_DOSSIERS_PER_HOUR, ("online", "on_time"), Grid(9, 5, 3, 2)),
        _ageing(Grid(9, 7, 3, 2)),
        _sources(Grid(0, 9, 12, 1), 6),
    ),
)

_DOSSIERS = Screen(
    "dossiers",
    Text("Hồ sơ", "Dossiers"),
    (
        *(
            headline(INDICATORS[key], Grid(3 * n, 0, 3, 4))
            for n, key in enumerate(("on_time", "online", "overdue", "due_soon"))
        ),
        per_hour(_DOSSIERS_PER_HOUR, ("online", "on_time"), Grid(0, 4, 4, 3)),
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
)

_UNITS = Screen(
    "units",
    Text("Đơn vị", "Units"),
    (
        league("departments_on_time", ScopeKind.DEPARTMENTS, _ON_TIME, Grid(0, 0, 4, 10), 16),
        league("communes_on_time", ScopeKind.COMMUNES, _ON_TIME, Grid(4, 0, 4, 10), 16),
        league("departments_overdue", ScopeKind.DEPARTMENTS, _OVERDUE, Grid(8, 0, 4, 5), 7),
        league("communes_overdue", ScopeKind.COMMUNES, _OVERDUE, Grid(8, 5, 4, 5), 7),
    ),
)

_SOURCES = Screen(
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
            names=Text("Bản tin bị từ chối theo lý do, nguồn", "Dead letters by reason and source"),
            grid=Grid(6, 6, 6, 4),
            limit_s=SLOW_LIMIT_S,
            rows=6,
        ),
    ),
)

_OF_KINDS = tuple(
    found for kind in KINDS if (found := _DOSSIERS if kind is DOSSIER else kind_screen(kind)) is not None
)

SCREENS: tuple[Screen, ...] = (_OVERVIEW, ALERTS_SCREEN, *_OF_KINDS, _UNITS, _SOURCES)
"""All screens in the order of menu and rotation; those of the kinds in the order of the registry."""

UNIT_SCREEN = Screen(
    "unit",
    Text("Đơn vị", "Unit"),
    (
        *_headlines(0, 5, ScopeKind.UNIT),
        per_hour(_DOSSIERS_PER_HOUR, ("online", "on_time"), Grid(0, 5, 3, 2), ScopeKind.UNIT),
        _ageing(Grid(0, 7, 3, 2), ScopeKind.UNIT),
        unit_alerts(Grid(3, 5, 4, 4), 5),
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
