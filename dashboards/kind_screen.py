"""Panels of one indicator, and the screen of a kind that is put together from them by its declaration."""

from contract.indicators import Indicator, Reading
from contract.kind import Kind
from contract.text import Text
from contract.windows import STATE_WINDOW
from contract.words import WINDOW_WORDS
from dashboards.panel import COLUMNS, Content, Form, Grid, Panel, ScopeKind, Screen

__all__ = ["headline", "kind_screen", "league", "per_hour"]

_LEAGUE_WINDOW = "30d"
_TALL = 5
"""Rows of the headlines, and of what stands below them."""


def headline(
    indicator: Indicator,
    grid: Grid,
    window: str | None = None,
    names: Text | None = None,
    scope: ScopeKind = ScopeKind.PROVINCE,
) -> Panel:
    """Show one figure against its target, in its own window unless another is given."""
    return Panel(
        key=indicator.key if window is None else f"{indicator.key}_{window}",
        form=Form.HEADLINE,
        content=Content.RATE,
        names=names or Text(indicator.name_vi, indicator.name_en),
        grid=grid,
        indicators=(indicator.key,),
        scope=scope,
        window=window or indicator.window,
    )


def league(key: str, scope: ScopeKind, indicator: Indicator, grid: Grid, rows: int) -> Panel:
    """Rank units of one league by one indicator."""
    who = Text("Xã, phường", "Communes") if scope is ScopeKind.COMMUNES else Text("Sở, ngành", "Departments")
    return Panel(
        key=key,
        form=Form.LEAGUE,
        content=Content.LEAGUE,
        names=Text(f"{who.vi} · {indicator.name_vi.lower()}", f"{who.en} · {indicator.name_en.lower()}"),
        grid=grid,
        indicators=(indicator.key,),
        scope=scope,
        window=_LEAGUE_WINDOW if indicator.reading is Reading.RATE else STATE_WINDOW,
        rows=rows,
    )


def per_hour(names: Text, indicators: tuple[str, ...], grid: Grid, scope: ScopeKind = ScopeKind.PROVINCE) -> Panel:
    """Count the marks of today by the hour."""
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


def kind_screen(kind: Kind) -> Screen | None:
    """Return the screen that a kind declares; None when it declares none.

    Headlines of every rate in every window, then the first rate by the hour and in both leagues. A headline is
    named by its window, and by its indicator too where there are several.
    """
    if kind.screen is None:
        return None
    rates = [i for i in kind.indicators if i.reading is Reading.RATE]
    shown = [(rate, window) for rate in rates for window in kind.screen.windows]
    width = COLUMNS // len(shown)
    return Screen(
        kind.table,
        kind.screen.names,
        (
            *(
                headline(rate, Grid(width * n, 0, width, _TALL), window, _name(rate, window, alone=len(rates) == 1))
                for n, (rate, window) in enumerate(shown)
            ),
            per_hour(kind.screen.per_hour, (rates[0].key,), Grid(0, _TALL, 4, _TALL)),
            league("departments", ScopeKind.DEPARTMENTS, rates[0], Grid(4, _TALL, 4, _TALL), 8),
            league("communes", ScopeKind.COMMUNES, rates[0], Grid(8, _TALL, 4, _TALL), 8),
        ),
    )


def _name(indicator: Indicator, window: str, *, alone: bool) -> Text:
    words = WINDOW_WORDS[window]
    if alone:
        return Text(words.vi.capitalize(), words.en.capitalize())
    vi, en = (word.replace(" ", "\N{NO-BREAK SPACE}") for word in words)
    return Text(f"{indicator.name_vi} · {vi}", f"{indicator.name_en} · {en}")
