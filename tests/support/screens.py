"""A small province with figures for tests of the screens, and a reader that needs no store."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, cast

from litestar import Router
from litestar.testing import TestClient

from contract.calendar import WorkCalendar
from contract.days import HOUR_S
from contract.sources import parse_sources
from contract.units import Unit, UnitTree
from dashboards.access import Access, Mode
from dashboards.data import Data, ScopeDetail
from dashboards.reader import Reader
from dashboards.series import Series, SeriesRow
from dashboards.server import create_server
from dashboards.targets import Targets, load_targets
from dashboards.view import Place
from sinks.dead_letters import LetterGroup
from sinks.overdue import OverdueDossier
from sinks.reads import Ageing, Bucket, PipelineFacts, SourceAge
from streams.rows import Heartbeat

__all__ = ["HOSTILE", "NOW_US", "FakeReader", "client", "data", "place", "targets"]

NOW_US = 1_795_332_000_000_000
"""22 November 2026, 14:20 in Viet Nam."""
NOW_S = NOW_US // 1_000_000
HOSTILE = '=1+1</script><script>alert("x")</script>'
ONLINE, FINISHED, OVERDUE = "online", "on_time", "overdue"


def place() -> Place:
    """A province with two departments and four communes, one with a hostile name."""
    since = date(2025, 7, 1)
    return Place(
        UnitTree(
            [
                Unit("75", None, "province", "Đồng Nai", "Dong Nai", since),
                Unit("H1", "75", "department", "Sở Y tế", "Health", since),
                Unit("H2", "75", "department", "Sở Xây dựng", "Building", since),
                Unit("c1", "75", "ward", "Phường Một", "Ward One", since),
                Unit("c2", "75", "commune", "Xã Hai", "Commune Two", since),
                Unit("c3", "75", "commune", HOSTILE, HOSTILE, since),
                Unit("c4", "75", "special_zone", "Đặc khu Bốn", "Zone Four", since),
                Unit("99", None, "province", "Tỉnh khác", "Another", since),
            ]
        ),
        "75",
    )


@cache
def targets() -> Targets:
    """The shipped targets and sources."""
    config = Path(__file__).parents[2] / "config"
    days = WorkCalendar.from_csv((config / "calendar.csv").read_text("utf-8"), "calendar.csv")
    sources = parse_sources((config / "sources.toml").read_text("utf-8"), "sources.toml", days)
    return load_targets(config / "targets.toml", sources)


def data(**changes: Any) -> Data:
    """Figures of that province, a second old."""
    rates = {
        ("unit:75", "on_time", "today"): (1304, 1328),
        ("unit:75", "online", "today"): (1187, 1602),
        ("unit:75", "online", "all"): (5000, 7000),
        ("unit:75", "online_payment", "today"): (3, 7),
        ("unit:75", "overdue", "now"): (41, 5873),
        ("unit:c1", "on_time", "30d"): (100, 100),
        ("unit:c2", "on_time", "30d"): (18, 20),
        ("unit:c3", "on_time", "30d"): (30, 60),
        ("unit:c4", "on_time", "30d"): (19, 19),
        ("unit:c3", "overdue", "now"): (7, 171),
        ("unit:c2", "due_soon", "now"): (12, 100),
        ("field:land", "on_time", "30d"): (90, 100),
        ("field:tax", "on_time", "30d"): (5, 5),
        ("unit:lạ", "online", "all"): (1, 2),
    }
    midnight = NOW_S - NOW_S % 86_400 - 7 * HOUR_S
    seven = midnight + 7 * HOUR_S
    detail = ScopeDetail(
        today={
            FINISHED: [Bucket("unit:75", FINISHED, seven, 1, 2), Bucket("unit:75", FINISHED, seven + 3600, 3, 3)],
            ONLINE: [Bucket("unit:75", ONLINE, seven, 4, 10), Bucket("unit:75", ONLINE, seven + 1800, 1, 5)],
        },
        before={(FINISHED, "today"): (95, 100)},
        ageing=Ageing(overdue=41, day=114, days=1408, later=4310),
        overdue=[OverdueDossier("H10.12-261101-0042", "c3", NOW_S - 3 * 86_400 - 5)],
    )
    found = Data(
        read_us=NOW_US,
        beat=Heartbeat(1, 1, NOW_US - 1_000_000, NOW_US - 1_000_000),
        rates=rates,
        details={"unit:75": detail},
        sources=[
            SourceAge("onestop/c1", "c1", "nhip.dossiers", NOW_US - 9_000_000, NOW_US - 4_000_000, 10, 1),
            SourceAge("bank", "c1", "nhip.payments", NOW_US, NOW_US - 3_600_000_000, 5, 0),
            SourceAge("elsewhere", "99", "nhip.payments", NOW_US, NOW_US, 5, 0),
        ],
        facts=PipelineFacts(12, 0, 3),
        letters=[LetterGroup("json", "bank", 3, NOW_US)],
        lag=7,
    )
    return replace(found, **changes)


class FakeReader:
    """Fills the reader's place; ``data`` and ``up`` are set by the test."""

    def __init__(self, found: Data) -> None:
        self.data = found
        self.up = True
        self.ticks = 1
        self.watched: list[str] = []

    def watch(self, scope: str) -> None:
        self.watched.append(scope)

    async def ticked(self) -> None:
        await asyncio.sleep(0)
        self.ticks += 1

    async def run(self) -> None:
        await asyncio.sleep(3600)


class _FakeSeries:
    async def read(self, *_: str) -> list[SeriesRow]:
        return [SeriesRow(NOW_US, 1, 2, 0.5)]


@contextmanager
def client(
    reader: FakeReader | None = None, access: Access | None = None, routers: Sequence[Router] = ()
) -> Iterator[TestClient[Any]]:
    """A client of an application without a store."""
    app = create_server(
        cast("Reader", reader or FakeReader(data())),
        cast("Series", _FakeSeries()),
        place(),
        targets(),
        access or Access(Mode.PUBLIC, below=place().below),
        "1-test",
        lambda: NOW_US,
        routers,
    )
    with TestClient(app, base_url="http://127.0.0.1") as found:
        yield found
