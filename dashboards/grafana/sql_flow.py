"""SQL of what flows: marks per hour of today, open dossiers by the time left, the longest overdue."""

# ruff: noqa: S608
# Every text from a file of the office goes through quoted(); the rest is this program's own.

from contract.registry import INDICATORS
from contract.words import WORDS
from dashboards.bars import series_of
from dashboards.grafana.place import Place
from dashboards.grafana.sql_parts import column, look_up, prelude, quoted, said, tuples
from dashboards.grafana.sql_table import table
from dashboards.grafana.words import GLYPHS, G
from dashboards.screens import Panel, ScopeKind
from sinks.epochs import CURRENT

__all__ = ["ageing", "most_overdue", "per_hour"]

_CANDIDATES = 1_000
"""So many of the oldest due dates are looked up in their newest row."""
_LATER_S = 2**62
_TODAY = "toUnixTimestamp(toStartOfDay(clock, 'Asia/Ho_Chi_Minh'))"


def per_hour(panel: Panel, place: Place) -> str:
    """Count the marks in every hour of the local day so far; hours to come are there, without a value."""
    lang = place.lang
    shown = ",\n       ".join(
        f"if(stale OR starts > clock, NULL, toNullable(sumIf(p.{what}, p.indicator = '{key}')))"
        f" AS {column(text, lang)}"
        for text, key, what in series_of(panel)
    )
    keys = tuples(INDICATORS[key].marks for key in panel.indicators)
    return f"""{prelude(lang, panel.limit_s)}SELECT toString(hour) AS {column(G["hour"], lang)},
       {shown}
FROM (SELECT number AS hour, toStartOfDay(clock, 'Asia/Ho_Chi_Minh') + INTERVAL number HOUR AS starts
      FROM numbers(24)) AS h
LEFT JOIN
(
    SELECT toString(indicator) AS indicator, at, good, count FROM panes FINAL
    WHERE (topic, `partition`, epoch) IN ({CURRENT}) AND scope = {place.scope(panel.scope)}
      AND indicator IN {keys} AND level = 2 AND at >= {_TODAY} AND at < {_TODAY} + 86400
) AS p ON p.at = toUnixTimestamp(h.starts)
GROUP BY hour, starts ORDER BY hour"""


def ageing(panel: Panel, place: Place) -> str:
    """Count open dossiers with a due date by the time left, every row with its state."""
    lang = place.lang
    rows = (
        ("overdue", "overdue", "bad"),
        ("due_day", "day", "watch"),
        ("due_days", "days", "ok"),
        ("due_later", "later", "ok"),
    )
    array = ", ".join(
        f"({n}, {quoted(f'{GLYPHS[state]} {said(WORDS[word], lang)}')}, {value})"
        for n, (word, value, state) in enumerate(rows)
    )
    minute = "toUnixTimestamp(toStartOfMinute(clock))"
    body = f"""SELECT toInt64(share.1) AS nr, share.2 AS {column(G["name"], lang)},
       toNullable(toInt64(share.3)) AS {column(WORDS["count"], lang)}
FROM
(
    SELECT sumIf(count, level = 3 AND at >= {minute} AND at < {minute} + 86400) AS day,
           sumIf(count, level = 3 AND at >= {minute} + 86400 AND at < {minute} + 5 * 86400) AS days,
           sumIf(count, level = 1 AND at < {_TODAY})
               + sumIf(count, level = 3 AND at >= {_TODAY} AND at < {minute}) AS overdue,
           sumIf(count, level = 0) - overdue - day - days AS later
    FROM
    (
        SELECT level, at, count FROM panes FINAL
        WHERE (topic, `partition`, epoch) IN ({CURRENT}) AND scope = {place.scope(panel.scope)}
          AND indicator = 'overdue'
    )
)
ARRAY JOIN [{array}] AS share"""
    return table(panel, lang, [column(G["name"], lang), column(WORDS["count"], lang)], body, ("age", "NULL"))


def most_overdue(panel: Panel, place: Place) -> str:
    """List codes of the dossiers that are overdue for longest; a code names no person.

    FINAL over all dossiers costs seconds with millions of them: the oldest due dates are taken from all rows,
    and only those dossiers are looked up in their newest one.
    """
    lang = place.lang
    units = f"({place.unit()})" if panel.scope is ScopeKind.UNIT else tuples(place.office.units())
    candidates = f"""SELECT id, min(assumeNotNull(overdue_at)) AS due FROM dossiers
        WHERE isNotNull(overdue_at) AND overdue_at < toUnixTimestamp(toStartOfMinute(clock)) AND unit IN {units}
        GROUP BY id ORDER BY due, id LIMIT {_CANDIDATES}"""
    body = f"""WITH (SELECT (groupArray(id), if(count() < {_CANDIDATES}, {_LATER_S}, max(due)))
      FROM ({candidates})) AS oldest
SELECT toInt64(row_number() OVER (ORDER BY overdue_at, id)) AS nr, id AS {column(WORDS["code"], lang)},
       {look_up("toString(unit)", place.names(), "toString(unit)")} AS {column(WORDS["unit"], lang)},
       toNullable(intDiv(toUnixTimestamp(clock) - assumeNotNull(overdue_at), 86400))
           AS {column(WORDS["days_overdue"], lang)}
FROM dossiers FINAL
WHERE id IN (SELECT arrayJoin(oldest.1)) AND isNotNull(overdue_at)
  AND overdue_at < toUnixTimestamp(toStartOfMinute(clock)) AND overdue_at <= oldest.2 AND unit IN {units}
ORDER BY nr LIMIT {panel.rows or 10}"""
    columns = [column(WORDS[word], lang) for word in ("code", "unit", "days_overdue")]
    return table(panel, lang, columns, body, ("age", "''", "NULL"))
