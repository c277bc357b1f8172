"""Published rates as a person and a program read them."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from rich.table import Table

from contract.registry import INDICATORS
from contract.units import UnitTree
from contract.windows import WINDOWS
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
    """One line per scope and indicator, one column per window; each cell is rate and numerator / denominator."""
    rates = list(rates)
    windows = [w for w in WINDOWS if any(r.window == w for r in rates)]
    table = Table(title=title, title_justify="left", header_style="bold")
    table.add_column("phạm vi · scope")
    table.add_column("chỉ số · indicator")
    for window in windows:
        table.add_column(window, justify="right")

    def cell(rate: Rate | None) -> str:
        if rate is None:
            return ""
        return f"{percent(rate)}\n[dim]{count(rate.numerator)}/{count(rate.denominator)}[/dim]"

    lines: dict[tuple[str, str], dict[str, Rate]] = {}
    for rate in rates:
        lines.setdefault((rate.scope, rate.indicator), {})[rate.window] = rate
    shown = ""
    for (scope, indicator), cells in lines.items():
        texts = [cell(cells.get(window)) for window in windows]
        table.add_row("" if scope == shown else scope_name(scope, tree), INDICATORS[indicator].name_vi, *texts)
        shown = scope
    return table


def scope_name(scope: str, tree: UnitTree) -> str:
    """Return name and code of a unit scope; an unknown unit says so."""
    kind, _, code = scope.partition(":")
    if kind != "unit":
        return scope
    return f"{tree.name(code, 'vi')}\n[dim]{scope}[/dim]" if tree.known(code) else f"{scope}\n[dim]chưa có tên[/dim]"
