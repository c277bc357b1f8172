"""The offline check: what would be sent is well-formed, follows our rules, and every statement runs.

No Grafana is needed; the statements need a ClickHouse, which may be the embedded engine.
"""

import json
import time
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from clickhouse_connect.driver.exceptions import Error

from dashboards.grafana.lint import lint_boards, lint_group
from dashboards.grafana.macros import MacroError, TimeRange, expand
from dashboards.grafana.query import FORMATS
from dashboards.grafana.shape import misfits_of_board, misfits_of_group
from sinks.client import Client

__all__ = ["Ran", "Stated", "check_files", "run", "statements"]

_SPAN_S: Final = 86_400


class Stated(NamedTuple):
    """One statement and where it stands; ``series``: it is handed on as a time series."""

    where: str
    sql: str
    series: bool


class Ran(NamedTuple):
    """What a statement gave: an error (None: none), its rows, and how long it took in seconds."""

    where: str
    error: str | None
    rows: int
    took_s: float


def check_files(files: Mapping[str, str]) -> list[str]:
    """Return what is wrong with the rendered files without running anything: types, round trip, our rules."""
    boards, groups = _documents(files)
    found = [f"{board['uid']}: {misfit}" for board in boards for misfit in misfits_of_board(board)]
    found += [f"{group['title']}: {misfit}" for group in groups for misfit in misfits_of_group(group)]
    return found + lint_boards(boards) + [finding for group in groups for finding in lint_group(group)]


def statements(files: Mapping[str, str]) -> Iterator[Stated]:
    """Yield every statement of every panel and alert."""
    boards, groups = _documents(files)
    for board in boards:
        for panel in board["panels"]:
            for target in panel["targets"]:
                series = target["format"] == FORMATS["timeseries"]
                yield Stated(f"{board['uid']} panel {panel['id']} ({panel['title']})", target["rawSql"], series)
    for group in groups:
        for rule in group["rules"]:
            for query in rule["data"]:
                if "rawSql" in query["model"]:
                    yield Stated(f"alert {rule['uid']}", query["model"]["rawSql"], series=True)


def run(client: Client, stated: Stated, now_s: int, variables: Mapping[str, str]) -> Ran:
    """Run one statement as Grafana's backend would. ``variables`` holds ready literals; an alert gets none."""
    known = {} if stated.where.startswith("alert ") else dict(variables)
    started = time.perf_counter()
    try:
        sql = expand(stated.sql, TimeRange(now_s - _SPAN_S, now_s + 60), known)
        rows = client.rows(sql)
    except (MacroError, Error) as error:
        return Ran(stated.where, str(error), 0, time.perf_counter() - started)
    took_s = time.perf_counter() - started
    times = [row[0] for row in rows] if stated.series else []
    if times != sorted(times):
        return Ran(stated.where, "the times are not in ascending order", len(rows), took_s)
    return Ran(stated.where, None, len(rows), took_s)


def _documents(files: Mapping[str, str]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    boards = [json.loads(text) for name, text in files.items() if name.startswith("dashboards/")]
    groups = [json.loads(text) for name, text in files.items() if name.startswith("alerts/")]
    return boards, groups
