"""Parts of a message in both languages: places, figures, limits, moments. Pure."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from contract.alert_words import MESSAGE_WORDS
from contract.numbers import count_text, duration_text, percent_text
from contract.registry import INDICATORS
from contract.text import Text, same
from contract.words import WORDS
from streams.alerts import Figure
from streams.clock import US_PER_S
from streams.gauges import GAUGES

__all__ = [
    "figure_text",
    "fill",
    "indicator_text",
    "limit_text",
    "limit_value",
    "moment_text",
    "place_text",
    "share_text",
]

_LOCAL = timedelta(hours=7)


def fill(words: Text, **values: Text | str) -> Text:
    """Fill a text's gaps; a value in two languages goes into each its own."""
    vi = {key: value.vi if isinstance(value, Text) else value for key, value in values.items()}
    en = {key: value.en if isinstance(value, Text) else value for key, value in values.items()}
    return Text(words.vi.format(**vi), words.en.format(**en))


def moment_text(at_us: int) -> str:
    """Write a moment as time and day of Viet Nam, the same in both languages: 14:20 22/11/2026."""
    return f"{datetime.fromtimestamp(at_us / US_PER_S, UTC) + _LOCAL:%H:%M %d/%m/%Y}"


def place_text(scope: str, unit_name: Callable[[str], Text]) -> Text:
    """Return what a scope is called; ``unit_name`` gives a unit's name."""
    kind, _, name = scope.partition(":")
    if kind == "unit":
        return unit_name(name)
    return fill(MESSAGE_WORDS[kind], name=name) if kind in ("field", "source", "system") else same(scope)


def indicator_text(key: str) -> Text:
    """Return the name of an indicator or a gauge."""
    if key in INDICATORS:
        return Text(INDICATORS[key].name_vi, INDICATORS[key].name_en)
    return GAUGES[key].name if key in GAUGES else same(key)


def share_text(rate: float) -> Text:
    """Write a share that people chose or that is usual, with as many decimals as it has: 95 %, 3,78 %."""
    percent = percent_text(rate, 2)
    return Text(_short(percent.vi), _short(percent.en))


def figure_text(indicator: str, figure: Figure) -> Text:
    """Write a figure: a rate always with its counts, 91,2 % (31/34); a gauge in its own unit."""
    match indicator:
        case "silence":
            return fill(WORDS["silent_for"], duration=duration_text(figure.numerator))
        case "behind":
            return duration_text(figure.numerator)
        case "dead_letters":
            return count_text(figure.numerator)
        case _:
            rate = figure.numerator / figure.denominator if figure.denominator else None
            return fill(
                same("{rate} ({good}/{count})"),
                rate=percent_text(rate),
                good=count_text(figure.numerator),
                count=count_text(figure.denominator),
            )


def limit_value(indicator: str, threshold: float, denominator: int) -> Text:
    """Write a threshold: 95 %, 3,78 %, 15 phút; ``denominator`` is that of the figure compared with it."""
    match indicator:
        case "silence":
            return duration_text(threshold * denominator)
        case "behind":
            return duration_text(threshold)
        case "dead_letters":
            return count_text(int(threshold))
        case _:
            return share_text(threshold)


def limit_text(indicator: str, threshold: float, denominator: int, *, below: bool) -> Text:
    """Write what a figure is compared with: dưới 95 %, trên 3,78 %, quá 15 phút."""
    value = limit_value(indicator, threshold, denominator)
    if indicator in ("silence", "behind"):
        return fill(MESSAGE_WORDS["limit_over"], duration=value)
    return fill(WORDS["below" if below else "above"], value=value)


def _short(percent: str) -> str:
    number, _, sign = percent.partition(" ")
    return f"{number.rstrip('0').rstrip(',.')} {sign}"
