"""SQL of the health of the data's way: sources and units that fall silent, the pipeline, refused records."""

# ruff: noqa: S608
# Every text from a file of the office goes through quoted(); the rest is this program's own.

from contract.words import WORDS
from dashboards.grafana.place import Place
from dashboards.grafana.sql_parts import (
    column,
    count_words,
    duration_words,
    look_up,
    prelude,
    quoted,
    state_words,
)
from dashboards.grafana.sql_table import table
from dashboards.grafana.words import G
from dashboards.screens import Panel, ScopeKind
from dashboards.targets import Targets

__all__ = ["ages", "dead_letters", "expected_of", "pipeline"]

_AGE_COLUMNS = ("source", "age", "expected", "state")


def expected_of(targets: Targets, source: str) -> str:
    """Return an expression of the seconds that may pass between two words of a source; the first pattern decides."""
    *others, last = targets.sources.paces
    cases = [f"match({source}, {quoted(pace.expression)} || char(36)), {pace.expected_s}" for pace in others]
    return f"multiIf({', '.join(cases)}, {last.expected_s})" if cases else str(last.expected_s)


def ages(panel: Panel, place: Place, *, by: str) -> str:
    """List sources or units, the longest silent first, against how often a source should speak."""
    lang = place.lang
    only = f"WHERE unit = {place.unit()}" if panel.scope is ScopeKind.UNIT else ""
    name = "who" if by == "source" else look_up("who", place.names(), "who")
    state = "multiIf(silent_s <= expected_s, 'ok', silent_s <= 2 * expected_s, 'watch', 'bad')"
    body = f"""SELECT toInt64(row_number() OVER (ORDER BY silent_s / expected_s DESC, who)) AS nr,
       {name} AS {column(G["source"], lang)}, {duration_words("silent_s", lang)} AS {column(G["age"], lang)},
       {duration_words("expected_s", lang)} AS {column(G["expected"], lang)},
       {state_words(state, lang)} AS {column(G["state"], lang)}
FROM
(
    SELECT toString({by}) AS who, toInt64(min(paces)) AS expected_s,
           toInt64(greatest(0, dateDiff('second', max(seen_at), now64(6)))) AS silent_s
    FROM (SELECT *, {expected_of(place.office.targets, "toString(source)")} AS paces FROM sources FINAL {only})
    GROUP BY who
)
ORDER BY nr LIMIT {panel.rows or 12}"""
    blanks = ("age", "''", "''", "''")
    return table(panel, lang, [column(G[word], lang) for word in _AGE_COLUMNS], body, blanks)


def pipeline(panel: Panel, place: Place) -> str:
    """Return one row of facts. Events waiting in Kafka are not among them: the store cannot know."""
    lang = place.lang
    facts = {
        "figures_age": "age",
        "last_event": f"if(newest = 0, '–', {duration_words('newest_s', lang)})",
        "dead_letters": count_words("letters", lang),
        "events": count_words("received", lang),
        "ignored": count_words("old", lang),
        "partitions": count_words("ready", lang),
        "partitions_waiting": count_words("waiting", lang),
    }
    shown = ",\n       ".join(f"{sql} AS {column(WORDS[key], lang)}" for key, sql in facts.items())
    return f"""{prelude(lang, panel.limit_s)}SELECT {shown}
FROM
(
    SELECT toUnixTimestamp64Micro(max(event_time)) AS newest, sum(events) AS received, sum(ignored) AS old,
           toInt64(greatest(0, dateDiff('second', max(event_time), clock))) AS newest_s
    FROM sources FINAL
) AS heard
CROSS JOIN (SELECT count() AS letters FROM dead_letters FINAL WHERE state = 'refused') AS refused
CROSS JOIN
(
    SELECT countIf(claimed = done) AS ready, countIf(claimed > done) AS waiting
    FROM (SELECT max(epoch) AS claimed, maxIf(epoch, state = 'complete') AS done
          FROM epochs GROUP BY topic, `partition`)
) AS owned"""


def dead_letters(panel: Panel, place: Place) -> str:
    """Count refused records by reason and source."""
    lang = place.lang
    source = column(WORDS["source"], lang)
    body = f"""SELECT toInt64(row_number() OVER (ORDER BY count() DESC, reason, {source})) AS nr,
       toString(reason) AS {column(WORDS["reason"], lang)}, source AS {source},
       toNullable(count()) AS {column(WORDS["count"], lang)},
       formatDateTime(max(time), '%d/%m/%Y %H:%i', 'Asia/Ho_Chi_Minh') AS {column(G["newest"], lang)}
FROM dead_letters FINAL WHERE state = 'refused' GROUP BY reason, {source}
ORDER BY nr LIMIT {panel.rows or 6}"""
    columns = [
        column(WORDS["reason"], lang),
        source,
        column(WORDS["count"], lang),
        column(G["newest"], lang),
    ]
    return table(panel, lang, columns, body, ("age", "''", "NULL", "''"))
