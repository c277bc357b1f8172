"""The dossiers that are overdue longest, on the real engine, against a walk over all of them."""

import random
from collections.abc import Iterator
from datetime import date

import pytest

from contract.days import DAY_S, HOUR_S
from contract.dossier import DOSSIER, DossierEvent
from contract.units import Unit, UnitTree
from sinks import overdue
from sinks.client import Client
from sinks.overdue import OverdueDossier, most_overdue
from sinks.store import ClickHouseStore
from streams.rows import EntityBatch, EpochKey, PaneBatch
from tests.support.events import at, dossier
from tests.support.stored import keep

NOW_S = 1_795_312_800 + 1_757
SINCE = date(2020, 1, 1)
WARDS = [Unit(f"A.{n}", "A", "ward", "x", "x", SINCE) for n in (1, 2)]
TREE = UnitTree([Unit("A", None, "province", "a", "a", SINCE), *WARDS])

pytestmark = pytest.mark.services


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three rows a page, so that a few dossiers fill several."""
    monkeypatch.setattr(overdue, "_PAGE", 3)


def opened(n: int, due_s: int, unit: str = "A.1", version: int = 1, status: str = "processing") -> DossierEvent:
    """A dossier with a due date."""
    finished = at(NOW_S - 60) if status == "completed" else None
    return dossier(f"d{n:02}", version, unit=unit, status=status, due_at=at(due_s), finished_at=finished)


def publish(store: ClickHouseStore) -> None:
    """Build the panes, as a worker does when it takes over."""
    panes = PaneBatch(list(store.rebuild(DOSSIER, [0, 1], NOW_S, TREE.segments)))
    store.write_panes(DOSSIER.topic, {0: 1, 1: 1}, {0: 1, 1: 1}, panes)
    store.complete([EpochKey(DOSSIER.topic, p, 1) for p in (0, 1)])


def told(reader: Client, limit: int, units: tuple[str, ...] = ("A", "A.1", "A.2")) -> list[OverdueDossier]:
    """The list of a province or a ward."""
    return most_overdue(reader, f"unit:{units[0]}", units, NOW_S, limit)


def random_dossiers() -> Iterator[DossierEvent]:
    """Some due on the same few days, some in the same second, some not yet; then some of them finish or move."""
    chance = random.Random(7)
    due_s = [NOW_S - chance.choice([3, 4, 4, 40]) * DAY_S + chance.choice([0, 0, HOUR_S]) for _ in range(30)]
    for n, due in enumerate(due_s):
        yield opened(n, due if n % 7 else NOW_S + due % DAY_S, chance.choice(["A.1", "A.2"]))
    for n in chance.sample(range(30), 12):
        status, unit = chance.choice([("completed", "A.1"), ("processing", "A.2"), ("processing", "elsewhere")])
        yield opened(n, due_s[n] if n % 2 else due_s[n] + HOUR_S, unit, 2, status)


@pytest.mark.parametrize("limit", [1, 2, 5, 100])
def test_the_oldest_come_first_whatever_was_finished_or_moved(
    store: ClickHouseStore, reader: Client, limit: int
) -> None:
    """Over many pages, with rows of former states still in the table."""
    events = list(random_dossiers())
    keep(store, DOSSIER, events[:30])
    keep(store, DOSSIER, events[30:])
    publish(store)

    newest = {event.subject: event.data for event in events}
    for units in (("A", "A.1", "A.2"), ("A.2",)):
        late = [
            OverdueDossier(id_, data.unit, int(data.due_at.timestamp()))
            for id_, data in newest.items()
            if data.status == "processing" and data.unit in units and data.due_at is not None
        ]
        expected = sorted((o for o in late if o.due_s < NOW_S), key=lambda o: (o.due_s, o.id))
        assert told(reader, limit, units) == expected[:limit]


def test_who_has_moved_away_leaves_room_for_the_next(store: ClickHouseStore, reader: Client) -> None:
    """The oldest three moved to another unit since: those after them are still found."""
    due_s = NOW_S - 5 * DAY_S
    keep(store, DOSSIER, [opened(n, due_s + n) for n in range(6)])
    keep(store, DOSSIER, [opened(n, due_s + n, "elsewhere", 2) for n in range(3)])
    publish(store)

    rv = told(reader, 2)

    assert [row.id for row in rv] == ["d03", "d04"]


def test_nothing_overdue_is_an_empty_list(store: ClickHouseStore, reader: Client) -> None:
    """No dossier at all; and panes that say more than the rows, as while a correction is being counted."""
    empty = told(reader, 5)
    keep(store, DOSSIER, [opened(0, NOW_S - DAY_S)])
    publish(store)
    marks = [tuple(i.mark(opened(0, NOW_S).data) if i.mark else None for i in DOSSIER.marked)]
    gone = opened(0, NOW_S - DAY_S, "elsewhere", 2, "completed")
    store.client.command("TRUNCATE TABLE dossiers")
    store.write_entities(EntityBatch(DOSSIER, [gone], [0], [*marks], [0], [1], [1]))

    rv = told(reader, 5)

    assert (empty, rv) == ([], [])
