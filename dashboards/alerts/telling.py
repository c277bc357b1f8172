"""Alerts in words: where, what, against which limit, since when. Pure; every text in both languages."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from contract.numbers import count_text, percent_text
from contract.registry import INDICATORS
from contract.text import Text, same
from contract.words import WINDOW_WORDS
from dashboards.alerts.standing import Standing
from sinks.wording import figure_text, fill, indicator_text, limit_text, moment_text, place_text
from streams.alerts import Alert, Figure
from streams.clock import US_PER_S

__all__ = ["alert_figure", "alert_limit", "clock_text", "title_text", "unit_of", "window_text"]

_LOCAL = timedelta(hours=7)


def clock_text(at_us: int, now_us: int) -> str:
    """Write a moment as short as it is understood now: 14:20, or 14:20 21/11 on another day."""
    at, now = (datetime.fromtimestamp(moment / US_PER_S, UTC) + _LOCAL for moment in (at_us, now_us))
    return f"{at:%H:%M}" if at.date() == now.date() else f"{at:%H:%M %d/%m}"


def unit_of(scope: str) -> str | None:
    """Return the unit that a scope names; None for a field, a source or the system."""
    return scope.removeprefix("unit:") if scope.startswith("unit:") else None


def window_text(window: str) -> Text:
    """Return the name of a window."""
    return WINDOW_WORDS.get(window, same(window))


def title_text(found: Standing, name: Callable[[str], Text]) -> Text:
    """Return the rule's own title with its gaps filled, or the name of what it watches."""
    alert = found.alert
    if found.title is None:
        return indicator_text(alert.indicator)
    return fill(
        found.title,
        unit=place_text(alert.scope, name),
        indicator=indicator_text(alert.indicator),
        window=window_text(alert.window),
        rate=percent_text(alert.numerator / alert.denominator if alert.denominator else None),
        numerator=count_text(alert.numerator),
        n=count_text(alert.denominator),
        threshold=alert_limit(alert),
        usual="–",  # is not kept with the alert
        since=moment_text(alert.since_us),
    )


def alert_figure(alert: Alert, now: tuple[int, int] | None = None) -> Text:
    """Write the figure of an alert: the one at its last change of state, or the current one when that is given."""
    return figure_text(alert.indicator, Figure(alert.scope, *(now or (alert.numerator, alert.denominator))))


def alert_limit(alert: Alert) -> Text:
    """Write what the figure was compared with: dưới 95 %, trên 3,78 %."""
    # Rules are checked to look in the direction that is bad for their indicator; of gauges more is worse.
    known = INDICATORS.get(alert.indicator)
    below = known is not None and known.higher_is_better
    return limit_text(alert.indicator, alert.threshold, alert.denominator, below=below)
