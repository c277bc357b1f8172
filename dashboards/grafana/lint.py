"""Rules for what is rendered, beyond what any schema can say. Each finding says where and what."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any, Final

from dashboards.grafana.macros import foreign
from dashboards.grafana.names import DATASOURCE, LANGS, PLUGIN, REFRESH_S, TIMEZONE, UNIT_VARIABLE, dashboard_uid
from dashboards.grafana.query import FORMATS
from dashboards.screens import SCREENS, UNIT_SCREEN

__all__ = ["TIME_FILTER_EXCEPTION", "lint_board", "lint_boards", "lint_group"]

TIME_FILTER_EXCEPTION: Final = re.compile(r"FROM heartbeat FINAL WHERE part = 'roll'\) AS clock")
"""A statement without a time filter must begin from the clock of the figures: it shows what holds now, and its
span is the window it names. What the dashboard's time picker says must not change such a figure."""

_UID: Final = re.compile(r"[A-Za-z0-9_-]{1,40}")
_WIDTH: Final = 24
_LEAST_REFRESH_S: Final = 5
_MAX_TITLE: Final = 190
_SERIES_PANELS: Final = frozenset({"timeseries"})
_ORDERED: Final = re.compile(r"ORDER BY moment\s*$")


def lint_boards(boards: Sequence[Mapping[str, Any]]) -> list[str]:
    """Check every dashboard and that the set is whole: all screens in all languages, every uid once."""
    found = [finding for board in boards for finding in lint_board(board)]
    uids = [str(board.get("uid")) for board in boards]
    found += [f"{uid}: the uid is there {n} times" for uid, n in Counter(uids).items() if n > 1]
    wanted = {dashboard_uid(screen.key, lang) for screen in (*SCREENS, UNIT_SCREEN) for lang in LANGS}
    found += [f"{uid}: the dashboard is missing" for uid in sorted(wanted - set(uids))]
    shapes: dict[str, set[tuple[Any, ...]]] = {}
    for board in boards:
        key = str(board.get("uid")).rsplit("-", 1)[0]
        shapes.setdefault(key, set()).add(
            tuple((p.get("id"), p.get("type"), tuple(p["gridPos"].values())) for p in board["panels"])
        )
    return found + [f"{key}: the languages differ in their panels" for key, some in shapes.items() if len(some) > 1]


def lint_board(board: Mapping[str, Any]) -> list[str]:
    """Check one dashboard."""
    uid = str(board.get("uid"))
    return [f"{uid}: {finding}" for finding in (*_head(board), *_panels(board["panels"]))]


def lint_group(group: Mapping[str, Any]) -> list[str]:
    """Check a group of alert rules: what the browser fills in does not exist there."""
    return [f"{group.get('title')}: {finding}" for finding in _rules(group)]


def _head(board: Mapping[str, Any]) -> Iterator[str]:
    if not _UID.fullmatch(str(board.get("uid"))):
        yield "the uid has other letters than A-Z, a-z, 0-9, _ and -, or more than 40"
    if not board.get("title"):
        yield "no title"
    if board.get("editable"):
        yield "can be edited in the browser, where the next push overwrites it"
    if board.get("timezone") != TIMEZONE:
        yield f"time zone {board.get('timezone')!r} is not {TIMEZONE}"
    refresh = str(board.get("refresh", ""))
    if refresh != f"{REFRESH_S}s" or int(refresh[:-1]) < _LEAST_REFRESH_S:
        yield f"refresh {refresh!r} is not {REFRESH_S}s"
    declared = {variable.get("name") for variable in (board.get("templating") or {}).get("list") or []}
    used = {
        name
        for panel in board["panels"]
        for target in panel.get("targets", [])
        for name in re.findall(r"\$\{(\w+):", target.get("rawSql", ""))
    }
    if declared != used or not declared <= {UNIT_VARIABLE}:
        yield f"variables declared {sorted(map(str, declared))} and used {sorted(used)} differ"


def _panels(panels: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    ids = Counter(panel.get("id") for panel in panels)
    yield from (f"panel id {key} is there {n} times" for key, n in ids.items() if n > 1 or not key)
    for panel in panels:
        yield from (f"panel {panel.get('id')} ({panel.get('title')}): {finding}" for finding in _panel(panel))
    for one, other in combinations(panels, 2):
        if _overlap(one["gridPos"], other["gridPos"]):
            yield f"panels {one.get('id')} and {other.get('id')} overlap"


def _panel(panel: Mapping[str, Any]) -> Iterator[str]:
    for field in ("title", "description"):
        if not panel.get(field):
            yield f"no {field}"
    place = panel["gridPos"]
    if place["x"] < 0 or place["x"] + place["w"] > _WIDTH or place["w"] < 1 or place["h"] < 1:
        yield f"lies outside the {_WIDTH} columns"
    if (panel.get("datasource") or {}).get("uid") != DATASOURCE:
        yield "another data source than ours"
    if panel.get("fieldConfig", {}).get("defaults", {}).get("noValue") != "–":
        yield 'a missing value is not shown as "–"'
    targets = panel.get("targets") or []
    if not targets:
        yield "no query"
    for target in targets:
        yield from _target(target, series=panel.get("type") in _SERIES_PANELS)


def _target(target: Mapping[str, Any], *, series: bool) -> Iterator[str]:
    sql = target.get("rawSql") or ""
    if target.get("datasource") != {"type": PLUGIN, "uid": DATASOURCE}:
        yield "the query names another data source than ours"
    if not target.get("pluginVersion"):
        yield "the query has no pluginVersion: the plugin would take it for one of version 3"
    if not sql.strip():
        yield "the query has no rawSql"
    if target.get("format") != FORMATS["timeseries" if series else "table"]:
        yield f"format {target.get('format')} does not fit the panel"
    if series and not _ORDERED.search(sql):
        yield "a time series must end in ORDER BY its time"
    if "$__timeFilter" not in sql and not TIME_FILTER_EXCEPTION.search(sql):
        yield "no $__timeFilter, and not from the clock of the figures"
    for name in foreign(sql):
        if not name.startswith(f"${{{UNIT_VARIABLE}:singlequote}}"):
            yield f"{name} would be filled in by the browser alone"


def _rules(group: Mapping[str, Any]) -> Iterator[str]:
    rules = group.get("rules") or []
    uids = Counter(rule.get("uid") for rule in rules)
    yield from (f"rule uid {uid} is there {n} times" for uid, n in uids.items() if n > 1)
    for rule in rules:
        name = rule.get("uid")
        if not _UID.fullmatch(str(name)):
            yield f"{name}: not a uid"
        if not 0 < len(str(rule.get("title", ""))) <= _MAX_TITLE:
            yield f"{name}: the title is empty or longer than {_MAX_TITLE}"
        if not (rule.get("annotations") or {}).get("summary"):
            yield f"{name}: no summary"
        if rule.get("noDataState") not in ("OK", "Alerting", "KeepLast"):
            yield f"{name}: what no data means is not decided"
        refs = {query.get("refId") for query in rule.get("data") or []}
        if rule.get("condition") not in refs:
            yield f"{name}: condition {rule.get('condition')!r} is none of its queries"
        for sql in _statements(rule):
            if macros := foreign(sql) + re.findall(r"\$__\w+", sql):
                yield f"{name}: {macros[0]} in the SQL of an alert"


def _statements(rule: Mapping[str, Any]) -> Iterable[str]:
    return [query["model"]["rawSql"] for query in rule.get("data") or [] if "rawSql" in query.get("model", {})]


def _overlap(one: Mapping[str, int], other: Mapping[str, int]) -> bool:
    return (
        one["x"] < other["x"] + other["w"]
        and other["x"] < one["x"] + one["w"]
        and one["y"] < other["y"] + other["h"]
        and other["y"] < one["y"] + one["h"]
    )
