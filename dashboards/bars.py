"""Which series bars by the hour show: the same on the wall and in Grafana."""

from typing import Literal

from contract.registry import INDICATORS
from contract.text import Text
from dashboards.panel import Panel

__all__ = ["series_of"]


def series_of(panel: Panel) -> tuple[tuple[Text, str, Literal["count", "good"]], ...]:
    """Return the series of bars: name, indicator, and what of its marks is added.

    Several indicators: all marks of each. One: all of its marks, and the good ones.
    """
    named = [(key, bars) for key in panel.indicators if (bars := INDICATORS[key].bars) is not None]
    if len(named) > 1:
        return tuple((bars.counted, key, "count") for key, bars in named)
    ((key, bars),) = named
    return ((bars.counted, key, "count"), (bars.good, key, "good"))
