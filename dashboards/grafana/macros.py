"""The plugin's backend macros, so that a statement can be run without a Grafana.

A port of what ``pkg/macros/macros.go`` of grafana-clickhouse-datasource 4.20 expands; no other macro may be used.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

__all__ = ["BACKEND_MACROS", "MacroError", "TimeRange", "expand", "foreign"]

_CALL: Final = re.compile(r"\$__(\w+)(?:\(([^()]*)\))?")
_VARIABLE: Final = re.compile(r"\$(?!__)(?:\w+|\{(\w+)(?::\w+)?\})|\[\[(\w+?)(?::\w+)?\]\]")
_SPANS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


class MacroError(ValueError):
    """A statement uses what the backend does not know, or uses it wrongly."""


@dataclass(frozen=True, slots=True)
class TimeRange:
    """What the dashboard shows: seconds since 1970, and the step between two points in seconds."""

    start_s: int
    end_s: int
    interval_s: int = 60


def expand(sql: str, time: TimeRange, variables: dict[str, str] | None = None) -> str:
    """Replace all macros and variables as Grafana would.

    ``variables`` holds ready literals; without any, a statement with a variable is refused, as in an alert rule.
    Raises MacroError.
    """
    known = variables or {}

    def of_variable(found: re.Match[str]) -> str:
        name = found[1] or found[2] or found[0].lstrip("$")
        if name not in known:
            raise MacroError(f"variable {found[0]} is not known: declare it, or write the value out")
        return known[name]

    def of_macro(found: re.Match[str]) -> str:
        macro = _MACROS.get(found[1])
        if macro is None:
            raise MacroError(f"$__{found[1]} is no macro of the backend; known: {', '.join(sorted(_MACROS))}")
        arguments = [part.strip() for part in (found[2] or "").split(",") if part.strip()]
        try:
            return macro(time, *arguments)
        except TypeError:
            raise MacroError(f"{found[0]}: wrong number of arguments") from None

    return _VARIABLE.sub(of_variable, _CALL.sub(of_macro, sql))


def foreign(sql: str) -> list[str]:
    """Return what of a statement only the browser would fill in: variables, and macros the backend lacks."""
    macros = [found[0] for found in _CALL.finditer(sql) if found[1] not in _MACROS]
    return macros + [found[0] for found in _VARIABLE.finditer(sql)]


def _span(text: str) -> int:
    found = re.fullmatch(r"'?(\d+)([smhdw])'?", text)
    if found is None:
        raise MacroError(f"{text!r} is no interval: write 5m")
    return int(found[1]) * _SPANS[found[2]]


def _within(time: TimeRange, column: str) -> str:
    return f"{column} >= toDateTime({time.start_s}) AND {column} <= toDateTime({time.end_s})"


def _within_ms(time: TimeRange, column: str) -> str:
    start, end = (f"fromUnixTimestamp64Milli({second * 1000})" for second in (time.start_s, time.end_s))
    return f"{column} >= {start} AND {column} <= {end}"


def _floor(column: str, seconds: int) -> str:
    return f"toStartOfInterval(toDateTime({column}), INTERVAL {max(1, seconds)} second)"


_MACROS: Final[dict[str, Callable[..., str]]] = {
    "timeFilter": _within,
    "timeFilter_ms": _within_ms,
    "timeInterval": lambda time, column: _floor(column, time.interval_s),
    "timeInterval_ms": lambda time, column: (
        f"toStartOfInterval(toDateTime64({column}, 3), INTERVAL {time.interval_s * 1000} millisecond)"
    ),
    "timeGroup": lambda _, column, span: _floor(column, _span(span)),
    "timeFrom": lambda time, column: f"{column} >= toDateTime({time.start_s})",
    "timeTo": lambda time, column: f"{column} <= toDateTime({time.end_s})",
    "fromTime": lambda time: f"toDateTime({time.start_s})",
    "toTime": lambda time: f"toDateTime({time.end_s})",
    "fromTime_ms": lambda time: f"fromUnixTimestamp64Milli({time.start_s * 1000})",
    "toTime_ms": lambda time: f"fromUnixTimestamp64Milli({time.end_s * 1000})",
    "interval_s": lambda time: str(time.interval_s),
    "interval_ms": lambda time: str(time.interval_s * 1000),
}

BACKEND_MACROS: Final = frozenset(_MACROS)
"""Names of the macros, without ``$__``."""
