"""SQL of the figures: headlines and their history, leagues, fields, and what needs attention."""

# ruff: noqa: S608
# Every text from a file of the office goes through quoted(); the rest is this program's own.

from contract.registry import INDICATORS
from contract.words import WINDOW_WORDS, WORDS
from dashboards.grafana.place import Place
from dashboards.grafana.sql_parts import (
    column,
    count_words,
    duration_words,
    look_up,
    percent_words,
    prelude,
    quoted,
    said,
    state_of,
    state_words,
    tuples,
)
from dashboards.grafana.sql_sources import expected_of
from dashboards.grafana.sql_table import table
from dashboards.grafana.words import GLYPHS, G
from dashboards.screens import SCREENS, Content, Panel, ScopeKind

__all__ = ["attention", "headline", "league", "trend"]


def headline(panel: Panel, place: Place) -> str:
    """Return one row: the rate, numerator and denominator with the change, and the state with the age.

    A figure older than the panel's limit is not shown: Grafana cannot turn a panel grey.
    """
    (key,) = panel.indicators
    lang, target = place.lang, place.office.targets.of(key)
    indicator = INDICATORS[key]
    unit = indicator.unit_vi if lang == "vi" else indicator.unit_en
    week = panel.window == "7d"
    versus = said(WORDS["last_week" if week else "yesterday"], lang)
    figure = f"scope = {place.scope(panel.scope)} AND indicator = '{key}' AND window = '{panel.window}'"
    points = "toDecimalString(abs(change), 1)"
    if lang == "vi":
        points = f"replaceOne({points}, '.', ',')"
    return (
        prelude(lang, panel.limit_s)
        + f"""   , (SELECT argMax((numerator, denominator), (time, written_at)) FROM rates
        WHERE {figure} AND time <= clock - INTERVAL {7 if week else 1} DAY) AS before,
     100 * (n / d - before.1 / before.2) AS change
SELECT if(stale, NULL, n / nullIf(d, 0)) AS {column(G["rate"], lang)},
       if(stale, '–', concat({count_words("n", lang)}, ' / ', {count_words("d", lang)}, ' {unit}',
           if(d > 0 AND before.2 > 0,
              concat(' · ', if(change < 0, '−', '+'), {points}, {quoted(f" {said(G['points'], lang)} {versus}")}),
              ''))) AS {column(G["cases"], lang)},
       if(stale, age, concat({state_words(state_of(key, target, "n", "d"), lang, target.minimum_n, "d")},
           ' · ', age)) AS {column(G["state"], lang)}
FROM (SELECT sum(numerator) AS n, sum(denominator) AS d FROM rates_now FINAL WHERE {figure})"""
    )


def trend(panel: Panel, place: Place) -> str:
    """Return the history of a headline as a time series; a gap is a time without cases."""
    return f"""SELECT $__timeInterval(time) AS moment,
       tupleElement(argMax(tuple(rate), (time, written_at)), 1) AS {column(G["rate"], place.lang)}
FROM rates
WHERE scope = {place.scope(panel.scope)} AND indicator = '{panel.indicators[0]}' AND window = '{panel.window}'
  AND $__timeFilter(time)
GROUP BY moment ORDER BY moment"""


def league(panel: Panel, place: Place) -> str:
    """List units or fields by one indicator, the best and the last. With too few cases there is no rank."""
    (key,) = panel.indicators
    lang, target = place.lang, place.office.targets.of(key)
    direction = "DESC" if INDICATORS[key].higher_is_better else "ASC"
    if panel.content is Content.BY_FIELD:
        who, name = "startsWith(scope, 'field:')", "code"
    else:
        members = place.office.members(panel.scope)
        who = f"scope IN {tuples(f'unit:{code}' for code in members)}"
        every = place.names()
        name = look_up("code", {code: every[code] for code in members}, "code")
    rows = panel.rows or 1_000
    body = f"""SELECT nr, if(enough, toNullable(nr), NULL) AS {column(G["rank"], lang)},
       name AS {column(G["name"], lang)}, rate AS {column(G["rate"], lang)},
       concat({count_words("n", lang)}, ' / ', {count_words("d", lang)}) AS {column(G["cases"], lang)},
       {state_words(state_of(key, target, "n", "d"), lang, target.minimum_n, "d")} AS {column(G["state"], lang)}
FROM
(
    SELECT *, toInt64(row_number() OVER (ORDER BY enough DESC, rate {direction}, d DESC, code)) AS nr,
           count() OVER () AS every
    FROM
    (
        SELECT substring(toString(scope), position(toString(scope), ':') + 1) AS code, {name} AS name,
               numerator AS n, denominator AS d, n / nullIf(d, 0) AS rate, d >= {max(1, target.minimum_n)} AS enough
        FROM rates_now FINAL
        WHERE {who} AND indicator = '{key}' AND window = '{panel.window}'
    )
)
WHERE nr <= {(rows + 1) // 2} OR nr > every - {rows // 2}"""
    blanks = ("NULL", "age", "NULL", "''", "''")
    names = ("rank", "name", "rate", "cases", "state")
    return table(panel, lang, [column(G[word], lang) for word in names], body, blanks)


def attention(panel: Panel, place: Place) -> str:
    """List what misses its target and which sources are silent, the most severe first."""
    lang, targets = place.lang, place.office.targets
    windows = {
        p.indicators[0]: str(p.window)
        for p in SCREENS[0].panels
        if p.content is Content.RATE and p.indicators[0] in panel.indicators
    }
    judged = "\n    UNION ALL\n".join(
        f"""    SELECT {state_of(key, targets.of(key), "numerator", "denominator")} AS state, 0 AS place,
           {quoted(_name(key, place))} AS subject,
           concat({percent_words("numerator / nullIf(denominator, 0)", lang)}, ' · ',
                  {count_words("numerator", lang)}, ' / ', {count_words("denominator", lang)},
                  {quoted(f" · {said(WINDOW_WORDS[window], lang)}")}) AS detail
    FROM rates_now FINAL
    WHERE scope = {place.scope(ScopeKind.PROVINCE)} AND indicator = '{key}' AND window = '{window}'"""
        for key, window in windows.items()
    )
    body = f"""SELECT toInt64(row_number() OVER (ORDER BY state, place, subject)) AS nr,
       {state_words("state", lang)} AS {column(G["state"], lang)},
       subject AS {column(G["subject"], lang)}, detail AS {column(G["detail"], lang)}
FROM
(
{judged}
    UNION ALL
    SELECT if(silent_s > 2 * expected_s, 'bad', 'watch'), 1, source,
           replaceOne({quoted(said(WORDS["silent_for"], lang))}, '{{duration}}', {duration_words("silent_s", lang)})
    FROM
    (
        SELECT toString(source) AS source, {expected_of(targets, "source")} AS expected_s,
               toInt64(greatest(0, dateDiff('second', max(seen_at), now64(6)))) AS silent_s
        FROM sources FINAL GROUP BY source
    )
    WHERE silent_s > expected_s
)
WHERE state IN ('bad', 'watch')
ORDER BY nr LIMIT {panel.rows or 6}"""
    blanks = (quoted(GLYPHS["none"]), "age", "''")
    return table(panel, lang, [column(G[word], lang) for word in ("state", "subject", "detail")], body, blanks)


def _name(key: str, place: Place) -> str:
    return INDICATORS[key].name_vi if place.lang == "vi" else INDICATORS[key].name_en
