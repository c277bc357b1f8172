"""Screens: one definition that fits together."""

from itertools import combinations

import pytest

from contract.registry import INDICATORS, KINDS
from contract.windows import WINDOWS, windows_of
from dashboards.screens import COLUMNS, ROWS, SCREENS, UNIT_SCREEN, Content, Grid, Screen, screen

ALL = [*SCREENS, UNIT_SCREEN]


def overlap(a: Grid, b: Grid) -> bool:
    """Whether two places share any cell."""
    return a.x < b.x + b.w and b.x < a.x + a.w and a.y < b.y + b.h and b.y < a.y + a.h


@pytest.mark.parametrize("found", ALL, ids=lambda s: s.key)
def test_panels_lie_on_the_grid_without_overlap(found: Screen) -> None:
    """Every panel is inside the grid and no two share a cell."""
    grids = [panel.grid for panel in found.panels]

    assert all(g.x >= 0 and g.y >= 0 and g.x + g.w <= COLUMNS and g.y + g.h <= ROWS for g in grids)
    assert not [pair for pair in combinations(grids, 2) if overlap(*pair)]


@pytest.mark.parametrize("found", ALL, ids=lambda s: s.key)
def test_panels_name_what_exists(found: Screen) -> None:
    """Keys are unique; indicators and windows are those of the contract, and fit each other."""
    keys = [panel.key for panel in found.panels]

    assert len(keys) == len(set(keys))
    for panel in found.panels:
        assert all(key in INDICATORS for key in panel.indicators)
        assert panel.window is None or panel.window in WINDOWS
        assert all(panel.names)
        if panel.content in (Content.RATE, Content.LEAGUE, Content.BY_FIELD):
            assert panel.window in windows_of(INDICATORS[panel.indicators[0]].reading)


def test_overview_has_the_headlines_that_are_declared_for_it() -> None:
    """Six of them, in their order; what else misses its target stands under what needs attention."""
    shown = [panel.indicators[0] for panel in screen("overview").panels if panel.content is Content.RATE]
    attention = next(panel for panel in screen("overview").panels if panel.content is Content.ATTENTION)

    assert shown == ["on_time", "online", "online_payment", "paperless_meeting", "overdue", "due_soon"]
    assert attention.indicators == tuple(INDICATORS)


def test_every_indicator_has_a_headline_somewhere() -> None:
    """No indicator is counted and never shown."""
    shown = {panel.indicators[0] for found in SCREENS for panel in found.panels if panel.content is Content.RATE}

    assert shown == set(INDICATORS)


def test_a_kinds_screen_is_made_from_its_declaration() -> None:
    """Documents: two rates in two windows, named by both; the first one by the hour and in both leagues."""
    found = screen("documents")

    assert [panel.key for panel in found.panels] == [
        "digital_signature_today",
        "digital_signature_30d",
        "documents_online_today",
        "documents_online_30d",
        "per_hour",
        "departments",
        "communes",
    ]
    assert found.panels[3].names.vi == "Văn bản xử lý trực tuyến · 30\N{NO-BREAK SPACE}ngày"
    assert {panel.grid.w for panel in found.panels[:4]} == {3}
    assert screen("meetings").panels[0].names.vi == "Hôm nay"
    assert [found.key for found in SCREENS[2:-2]] == [kind.table for kind in KINDS]


def test_unknown_screen_names_the_known_ones() -> None:
    """A wrong key is answered with the right ones."""
    with pytest.raises(KeyError, match="unknown screen 'x'; known: overview, alerts, dossiers"):
        screen("x")
