"""Published rates as a person and a program read them."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from rich import box
from rich.table import Table

from contract.registry import INDICATORS
from contract.units import UnitTree
from contract.windows import WINDOW_NAMES_VI, WINDOWS, windows_of
from streams.clock import US_PER_S
from streams.rows import Heartbeat, Rate

__all__ = ["as_document", "as_table", "percent", "selected"]

Published = Mapping[tuple[str, str, str], tuple[int, int]]


def selected(
    published: Published, scopes: Iterable[str] = (), indicators: Iterable[str] = (), windows: Iterable[str] = ()
) -> list[Rate]:
    """Rates that match, in the order scope, indicator, window; an empty selection takes all."""
    wanted = (set(scopes), set(indicators), set(windows))
    rates = [
        Rate(*key, *value)
        for key, value in published.items()
        if all(not want or part in want for want, part in zip(wanted, key, strict=True))
    ]
    order = {key: n for n, key in enumerate([*INDICATORS, *WINDOWS])}
    return sorted(rates, key=lambda r: (r.scope, order[r.indicator], order[r.window]))


def as_document(rates: Iterable[Rate], beat: Heartbeat | None) -> dict[str, Any]:
    """Return the document that ``--json`` prints; ``rate`` is null when nothing was counted."""
    return {
        "as_of": None if beat is None else datetime.fromtimestamp(beat.as_of_us / US_PER_S, UTC).isoformat(),
        "rates": [
            {
                "scope": r.scope,
                "indicator": r.indicator,
                "window": r.window,
                "numerator": r.numerator,
                "denominator": r.denominator,
                "rate": None if r.rate is None else round(r.rate, 4),
            }
            for r in rates
        ],
    }


def percent(rate: Rate) -> str:
    """Write a share the Vietnamese way with one decimal, "–" when nothing was counted."""
    return "–" if rate.rate is None else f"{100 * rate.rate:.1f} %".replace(".", ",")


def count(number: int) -> str:
    """Write a count the Vietnamese way."""
    return f"{number:,}".replace(",", ".")


def as_table(rates: Iterable[Rate], tree: UnitTree, title: str) -> Table:
    """Show each scope as a section, an indicator a line, a window a column: rate above numerator/denominator.

    Lines and columns in which nothing was counted are left out.
    """
    counted = [r for r in rates if r.denominator]
    windows = [w for w in WINDOWS if any(r.window == w for r in counted)]
    table = Table(title=title, title_justify="left", header_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("chỉ số · indicator", min_width=22)
    for window in windows:
        table.add_column(WINDOW_NAMES_VI[window], justify="right", no_wrap=True)
    lines: dict[str, dict[str, dict[str, Rate]]] = {}
    for rate in counted:
        lines.setdefault(rate.scope, {}).setdefault(rate.indicator, {})[rate.window] = rate
    for scope, indicators in lines.items():
        table.add_section()
        table.add_row(f"[bold]{scope_name(scope, tree)}[/bold]")
        for indicator, cells in indicators.items():
            table.add_row(INDICATORS[indicator].name_vi, *[_cell(indicator, w, cells.get(w)) for w in windows])
    return table


def _cell(indicator: str, window: str, rate: Rate | None) -> str:
    if window not in windows_of(INDICATORS[indicator].reading):
        return ""
    if rate is None:
        return "–"
    return f"{percent(rate)}\n[dim]{count(rate.numerator)}/{count(rate.denominator)}[/dim]"


def scope_name(scope: str, tree: UnitTree) -> str:
    """Return name and code of a unit scope; an unknown unit says so."""
    kind, _, code = scope.partition(":")
    if kind != "unit":
        return scope
    return f"{tree.name(code, 'vi')} [dim]{code}[/dim]" if tree.known(code) else f"{code} [dim]chưa có tên[/dim]"
