"""SQL of alerts: what fires and who acknowledged it, what is pending, what is muted."""

# ruff: noqa: S608
# Every text from a file of the office goes through quoted(); the rest is this program's own.

from typing import Final

from contract.alert_words import SEVERITY_WORDS
from contract.registry import INDICATORS
from dashboards.alerts.words import SEVERITY_STATES, A
from dashboards.grafana.place import Place
from dashboards.grafana.sql_parts import (
    column,
    count_words,
    duration_words,
    look_up,
    percent_words,
    quoted,
    said,
)
from dashboards.grafana.sql_table import table
from dashboards.grafana.words import GLYPHS, G
from dashboards.panel import Content, Panel, ScopeKind
from sinks.wording import indicator_text
from streams.gauges import GAUGES

__all__ = ["alerts", "muted"]

_STATES: Final = {Content.ALERTS: "firing", Content.PENDING: "pending"}
_TIME: Final = "'%H:%i %d/%m'"


def alerts(panel: Panel, place: Place) -> str:
    """List alerts that fire, or are pending, the most severe first: of one unit, or all."""
    lang = place.lang
    severities = {key: f"{GLYPHS[SEVERITY_STATES[key]]} {said(text, lang)}" for key, text in SEVERITY_WORDS.items()}
    watched = {key: said(indicator_text(key), lang) for key in (*INDICATORS, *GAUGES)}
    only = f"AND a.scope = {place.scope(ScopeKind.UNIT)}" if panel.scope is ScopeKind.UNIT else ""
    shares = ", ".join(quoted(key) for key in INDICATORS)
    seconds = tuple(key for key in GAUGES if key != "dead_letters")
    figure = f"""multiIf(a.indicator IN ({shares}),
               concat({percent_words("good / nullIf(counted, 0)", lang)}, ' (', {count_words("good", lang)}, '/',
                      {count_words("counted", lang)}, ')'),
               a.indicator IN ({", ".join(quoted(key) for key in seconds)}), {duration_words("good", lang)},
               {count_words("good", lang)})"""
    body = f"""SELECT toInt64(row_number() OVER (ORDER BY toString(a.severity) = 'critical' DESC,
               toString(a.severity) = 'warning' DESC, a.since DESC, a.id)) AS nr,
       {look_up("toString(a.severity)", severities, "''")} AS {column(A["severity"], lang)},
       {_subject("a.scope", place)} AS {column(G["subject"], lang)},
       {look_up("toString(a.indicator)", watched, "toString(a.indicator)")} AS {column(A["what"], lang)},
       {figure} AS {column(A["figure"], lang)},
       formatDateTime(a.since, {_TIME}, 'Asia/Ho_Chi_Minh') AS {column(A["since"], lang)},
       if(acked.name = '', {quoted(said(A["nobody"], lang))},
          concat(acked.name, ' ', formatDateTime(acked.moment, {_TIME}, 'Asia/Ho_Chi_Minh')))
           AS {column(A["acknowledged"], lang)}
FROM
(
    SELECT *, if(now.n IS NULL, numerator, assumeNotNull(now.n)) AS good,
           if(now.d IS NULL, denominator, assumeNotNull(now.d)) AS counted
    FROM (SELECT * FROM alerts FINAL WHERE state = '{_STATES[panel.content]}' AND ended IS NULL) AS open
    LEFT JOIN
    (
        SELECT toString(scope) AS s, toString(indicator) AS i, toString(window) AS w,
               toNullable(numerator) AS n, toNullable(denominator) AS d FROM rates_now FINAL
    ) AS now ON toString(open.scope) = now.s AND toString(open.indicator) = now.i AND toString(open.window) = now.w
) AS a
LEFT JOIN
(
    SELECT alert, argMax(by, at) AS name, max(at) AS moment FROM alert_actions FINAL
    WHERE action = 'ack' GROUP BY alert
) AS acked ON a.id = acked.alert
WHERE 1 {only}
ORDER BY nr LIMIT {panel.rows or 6}"""
    blanks = (quoted(GLYPHS["none"]), "age", "''", "''", "''", "''")
    columns = (A["severity"], G["subject"], A["what"], A["figure"], A["since"], A["acknowledged"])
    return table(panel, lang, [column(name, lang) for name in columns], body, blanks)


def muted(panel: Panel, place: Place) -> str:
    """List the mutes in force, the one that ends first first."""
    lang = place.lang
    until = f"formatDateTime(assumeNotNull(ends), {_TIME}, 'Asia/Ho_Chi_Minh')"
    body = f"""SELECT toInt64(row_number() OVER (ORDER BY ends, rule_name, scope_name)) AS nr,
       {_subject("scope_name", place)} AS {column(G["subject"], lang)}, rule_name AS {column(A["rule"], lang)},
       {until} AS {column(A["end"], lang)},
       concat(why, ' (', who, ')') AS {column(A["mute_reason"], lang)}
FROM
(
    SELECT toString(rule) AS rule_name, toString(scope) AS scope_name, argMax(until, at) AS ends,
           argMax(reason, at) AS why, argMax(by, at) AS who, argMax(toString(action), at) AS last
    FROM alert_actions FINAL WHERE action != 'ack' GROUP BY rule_name, scope_name
)
WHERE last = 'mute' AND ends > clock
ORDER BY nr LIMIT {panel.rows or 6}"""
    columns = [column(name, lang) for name in (G["subject"], A["rule"], A["end"], A["mute_reason"])]
    return table(panel, lang, columns, body, ("age", "''", "''", "''"))


def _subject(scope: str, place: Place) -> str:
    """Return an expression that names what a scope stands for: a unit by its name, all else by its own."""
    name = f"splitByChar(':', {scope}, 2)[2]"
    return look_up(name, place.names(), name)
