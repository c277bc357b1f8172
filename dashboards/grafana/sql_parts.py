"""Pieces of SQL that several panels share: clocks, ages, states, and numbers written the Vietnamese way.

Only the backend's macros are used: alert rules and shared dashboards know no others. Whatever comes from a
file of the office (names, codes) goes through :func:`quoted`.
"""

# ruff: noqa: S608
# Every text from a file of the office goes through quoted(); the rest is this program's own.

from collections.abc import Iterable, Mapping

from contract.registry import INDICATORS
from contract.words import STATE_WORDS, WORDS, Text
from dashboards.grafana.names import Lang
from dashboards.grafana.words import GLYPHS, G
from dashboards.targets import Target

__all__ = [
    "BEAT",
    "age_words",
    "column",
    "count_words",
    "duration_words",
    "look_up",
    "percent_words",
    "prelude",
    "quoted",
    "said",
    "state_of",
    "state_words",
    "tuples",
]

BEAT = "heartbeat FINAL WHERE part = 'roll'"
"""Where the newest sign of life of the figures stands."""

_MINUTE_S, _HOUR_S, _DAY_S = 60, 3_600, 86_400
_NEVER_S = 1_000_000_000
"""An age beyond this is that of a store without a heartbeat, whose newest one is of 1970."""


def said(text: Text, lang: Lang) -> str:
    """Return the words of one language."""
    return text.vi if lang == "vi" else text.en


def quoted(text: str) -> str:
    """Return a string literal. A dollar sign is written by its number: Grafana would read a variable in it."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("$", "\\x24").replace("[[", "\\x5b[")
    return f"'{escaped}'"


def column(text: Text, lang: Lang) -> str:
    """Return the name of a column that a person sees."""
    return "`" + said(text, lang).replace("`", "") + "`"


def tuples(values: Iterable[str]) -> str:
    """Return a list of strings for IN; an empty one matches nothing."""
    return "(" + (", ".join(quoted(value) for value in values) or "''") + ")"


def look_up(key: str, names: Mapping[str, str], default: str) -> str:
    """Return an expression that replaces a key by its name; what has none stays ``default``."""
    if not names:
        return default
    keys, values = (", ".join(quoted(text) for text in side) for side in (names.keys(), names.values()))
    return f"transform({key}, [{keys}], [{values}], {default})"


def duration_words(seconds: str, lang: Lang) -> str:
    """Return an expression that writes seconds in their largest whole unit: 12 phút, 12 min."""
    day, hour, minute, second = ("ngày", "giờ", "phút", "giây") if lang == "vi" else ("d", "h", "min", "s")
    return (
        f"multiIf({seconds} >= {2 * _DAY_S}, concat(toString(intDiv({seconds}, {_DAY_S})), ' {day}'), "
        f"{seconds} >= {_HOUR_S}, concat(toString(intDiv({seconds}, {_HOUR_S})), ' {hour}'), "
        f"{seconds} >= {_MINUTE_S}, concat(toString(intDiv({seconds}, {_MINUTE_S})), ' {minute}'), "
        f"concat(toString({seconds}), ' {second}'))"
    )


def age_words(lang: Lang) -> str:
    """Return an expression that says how old the figures are; it reads ``age_s`` and ``stale``."""
    fresh, stale = (said(G[key], lang).split("{age}") for key in ("fresh", "stale"))
    words = duration_words("age_s", lang)
    return (
        f"multiIf(age_s > {_NEVER_S}, {quoted(said(G['never'], lang))}, "
        f"stale, concat({quoted(stale[0])}, {words}, {quoted(stale[1])}), "
        f"concat({quoted(fresh[0])}, {words}, {quoted(fresh[1])}))"
    )


def prelude(lang: Lang, limit_s: int) -> str:
    """Return the WITH clause of every panel.

    ``clock``: the moment for which all figures hold; ``age_s``: seconds since the last beat; ``stale``: older
    than the panel's limit; ``age``: this in words.
    """
    return (
        f"WITH (SELECT max(as_of) FROM {BEAT}) AS clock,\n"
        f"     (SELECT toInt64(greatest(0, dateDiff('second', max(written_at), now64(6)))) FROM {BEAT}) AS age_s,\n"
        f"     age_s > {limit_s} AS stale,\n"
        f"     {age_words(lang)} AS age\n"
    )


def count_words(number: str, lang: Lang) -> str:
    """Return an expression that writes a whole number with its thousands apart: 1.434 and 1,434."""
    mark = "." if lang == "vi" else ","
    return f"reverse(arrayStringConcat(extractAll(reverse(toString({number})), '[0-9]{{1,3}}'), '{mark}'))"


def percent_words(rate: str, lang: Lang) -> str:
    """Return an expression that writes a share as percent: 95,3 % and 95.3 %; NULL is "–"."""
    number = f"toDecimalString(100 * assumeNotNull({rate}), 1)"
    if lang == "vi":
        number = f"replaceOne({number}, '.', ',')"
    return f"if(isNull({rate}), '–', concat({number}, ' %'))"


def state_of(indicator: str, target: Target, n: str, d: str) -> str:
    """Return an expression that judges a figure as ``dashboards.targets.state_of`` does: ok, watch, bad or none."""
    sign = ">=" if INDICATORS[indicator].higher_is_better else "<="
    return (
        f"multiIf({d} = 0 OR {d} < {target.minimum_n}, 'none', {n} / {d} {sign} {target.value!r}, 'ok', "
        f"{n} / {d} {sign} {target.watch!r}, 'watch', 'bad')"
    )


def state_words(state: str, lang: Lang, minimum_n: int | None = None, d: str = "1") -> str:
    """Return an expression that writes glyph and word of a state; too few cases are said to be too few."""
    names = {key: f"{GLYPHS[key]} {said(text, lang)}" for key, text in STATE_WORDS.items()}
    words = look_up(state, names, "''")
    if minimum_n is None:
        return words
    few = f"{GLYPHS['none']} " + said(WORDS["too_few"], lang).format(n=minimum_n)
    return f"if({d} > 0 AND {d} < {minimum_n}, {quoted(few)}, {words})"
