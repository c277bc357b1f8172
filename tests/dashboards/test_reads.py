"""What the screens read from the real engine, against plain Python on few rows."""

import random
from collections import defaultdict
from collections.abc import Iterator
from datetime import date

import pytest

from contract.days import DAY_S, HOUR_S, MINUTE_S, floor_minute, local_day_start
from contract.dossier import DOSSIER
from contract.marks import Mark
from contract.units import Unit, UnitTree
from contract.windows import Level
from dashboards.reading import Reading
from dashboards.view import Place
from sinks.client import Client, connect
from sinks.dead_letters import letter_groups
from sinks.migrate import migrate
from sinks.overdue import OverdueDossier, most_overdue
from sinks.reads import (
    Ageing,
    Bucket,
    PipelineFacts,
    ageing,
    buckets,
    pipeline_facts,
    published_since,
    source_ages,
    states_before,
    states_over,
)
from sinks.store import ClickHouseStore
from streams.rows import DeadLetter, EntityBatch, EpochKey, Heartbeat, PaneBatch, Rate, SourceRow
from tests.conftest import Database
from tests.support.events import at, dossier

NOW_S = 1_795_332_017
NOW_US = NOW_S * 1_000_000
TOPIC = DOSSIER.topic
UNITS = ("c1", "c2", "Phường 'Ba\\")

pytestmark = pytest.mark.services


@pytest.fixture
def client(database: Database) -> Iterator[Client]:
    """A connection to the test's own, migrated database."""
    connected = connect(host=database.host, port=database.port, database=database.name, **database.login)
    migrate(connected)
    yield connected
    connected.close()


@pytest.fixture
def store(client: Client) -> ClickHouseStore:
    """The store on it."""
    found = ClickHouseStore(client)
    found.ensure_definitions("first")
    return found


def tree() -> UnitTree:
    """A province with three communes."""
    since = date(2025, 7, 1)
    rows = [Unit("75", None, "province", "p", "p", since)]
    return UnitTree([*rows, *(Unit(code, "75", "ward", code, code, since) for code in UNITS)])


def write(store: ClickHouseStore, rows: list[tuple[str, int, str, Mark | None, Mark | None]]) -> None:
    """Write dossiers: id, version, unit, mark of what was finished, mark of what is open; then their panes."""
    batch = EntityBatch(DOSSIER)
    for offset, (subject, version, unit, finished, due) in enumerate(rows):
        batch.events.append(dossier(subject, version, unit=unit, time=at(NOW_S)))
        batch.contents.append(version)
        batch.marks.append((None, finished, due))
        batch.partitions.append(0)
        batch.offsets.append(offset)
        batch.epochs.append(1)
    store.write_entities(batch)
    key = EpochKey(TOPIC, 0, 1)
    store.claim([key], "test")
    panes = PaneBatch(list(store.rebuild(DOSSIER, [0], NOW_S, tree().segments)))
    store.write_panes(TOPIC, {0: 1}, {0: 0}, panes)
    store.complete([key])


def random_rows(rng: random.Random, n: int) -> list[tuple[str, int, str, Mark | None, Mark | None]]:
    """Dossiers finished in the last two days, or open and due around now; some have an older row too."""
    rows: list[tuple[str, int, str, Mark | None, Mark | None]] = []
    for number in range(n):
        unit, subject = rng.choice(UNITS), f"H{number:04}"
        due = Mark(NOW_S + rng.randrange(-10 * DAY_S, 10 * DAY_S), good=False)
        if rng.random() < 0.5:
            if rng.random() < 0.5:  # it was open before, perhaps overdue
                rows.append((subject, 1, unit, None, due))
            rows.append((subject, 2, unit, Mark(NOW_S - rng.randrange(2 * DAY_S), rng.random() < 0.7), None))
        else:
            rows.append((subject, 3, unit, None, due))
    return rows


def newest(
    rows: list[tuple[str, int, str, Mark | None, Mark | None]],
) -> list[tuple[str, int, str, Mark | None, Mark | None]]:
    """The row of each dossier that counts."""
    return list({row[0]: row for row in sorted(rows, key=lambda row: row[1])}.values())


@pytest.mark.parametrize("seed", [1, 2])
def test_panes_tell_what_plain_counting_tells(store: ClickHouseStore, client: Client, seed: int) -> None:
    """Half hours, ages of what is open and the longest overdue equal a count over the newest rows."""
    rows = random_rows(random.Random(seed), 300)
    write(store, rows)
    minute, today = floor_minute(NOW_S), local_day_start(NOW_S)
    live = newest(rows)

    halves = buckets(client, ["unit:75"], Level.MINUTE, today, minute + MINUTE_S, 1_800)
    ages = ageing(client, ["unit:75", "unit:c1"], NOW_S)
    overdue = most_overdue(client, "unit:75", UNITS, minute, 20)

    sums: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    for _, _, _, finished, _ in live:
        if finished is not None and today <= finished.at_s < minute + MINUTE_S:
            side = sums[finished.at_s - (finished.at_s - today) % 1_800]
            side[0] += finished.good
            side[1] += 1
    assert halves == [Bucket("unit:75", "on_time", start, *sums[start]) for start in sorted(sums)]

    def age(units: tuple[str, ...]) -> Ageing:
        left = [floor_minute(due.at_s) - minute for _, _, unit, _, due in live if due is not None and unit in units]
        borders = [(-(2**40), 0), (0, DAY_S), (DAY_S, 5 * DAY_S), (5 * DAY_S, 2**40)]
        return Ageing(*(sum(low <= s < high for s in left) for low, high in borders))

    assert ages == {"unit:75": age(UNITS), "unit:c1": age(("c1",))}

    late = [OverdueDossier(i, u, d.at_s) for i, _, u, _, d in live if d and d.at_s < minute]
    assert overdue == sorted(late, key=lambda row: (row.due_s, row.id))[:20]


def test_a_due_date_put_off_is_listed_in_its_new_place(store: ClickHouseStore, client: Client) -> None:
    """Older rows of a dossier neither hide it nor list it too early; a unit's list has its own."""
    day = [Mark(NOW_S - n * DAY_S, good=False) for n in range(10)]
    write(
        store,
        [
            ("moved", 1, "c1", None, day[9]),
            ("moved", 2, "c1", None, day[2]),
            ("gone", 1, "c1", None, day[8]),
            ("gone", 2, "c1", day[1], None),
            ("a", 1, "c1", None, day[7]),
            ("b", 1, "c2", None, day[5]),
            ("c", 1, "c1", None, day[1]),
        ],
    )

    found = most_overdue(client, "unit:75", UNITS, NOW_S, 3)
    one = most_overdue(client, "unit:c1", ["c1"], NOW_S, 20)

    assert [row.id for row in found] == ["a", "b", "moved"]
    assert [row.id for row in one] == ["a", "moved", "c"]


def test_published_figures_are_read_whole_and_from_a_tick_on(store: ClickHouseStore, client: Client) -> None:
    """The newest write of each figure is read, once."""
    store.write_rates([Rate("unit:75", "on_time", "today", 1, 2)], Heartbeat(1, 1, NOW_US, NOW_US))
    store.write_rates([Rate("unit:75", "online", "today", 3, 4)], Heartbeat(1, 2, NOW_US, NOW_US))
    store.write_rates([Rate("unit:75", "on_time", "today", 2, 3)], Heartbeat(2, 1, NOW_US, NOW_US))

    everything = {(r.indicator, r.numerator, r.denominator) for r in published_since(client)}
    later = [(r.indicator, r.epoch, r.tick) for r in published_since(client, 1, 2)]

    assert everything == {("on_time", 2, 3), ("online", 3, 4)}
    assert later == [("on_time", 2, 1)]
    assert published_since(client, 2, 1) == []


def test_history_of_what_is_open(store: ClickHouseStore, client: Client) -> None:
    """The last figure of each step, and the last one before a moment."""
    step_us = 1_800 * 1_000_000
    start_us = NOW_US - NOW_US % step_us
    for tick, (moment_us, top) in enumerate([(0, 5), (10, 6), (step_us, 7)], 1):
        beat = Heartbeat(1, tick, start_us + moment_us, NOW_US + tick)
        store.write_rates([Rate("unit:75", "overdue", "now", top, 9)], beat)

    over = states_over(client, ["unit:75"], start_us, start_us + 2 * step_us, 1_800)
    before = states_before(client, ["unit:75"], start_us + step_us)

    start_s = start_us // 1_000_000
    assert over == [
        Bucket("unit:75", "overdue", start_s, 6, 9),
        Bucket("unit:75", "overdue", start_s + 1_800, 7, 9),
    ]
    assert [(b.good, b.counted) for b in before] == [(6, 9)]
    assert states_before(client, ["unit:75"], start_us) == []


def test_sources_and_facts_of_the_pipeline(store: ClickHouseStore, client: Client) -> None:
    """Ages are the newest over partitions, counts the sums; a claimed partition is not ready yet."""
    keys = [EpochKey(TOPIC, 0, 1), EpochKey(TOPIC, 1, 2)]
    store.write_sources(
        [SourceRow("s", "c1", keys[0], 1, 10, 20, 5, 1), SourceRow("s", "c1", keys[1], 1, 30, 15, 7, 2)]
    )
    store.claim(keys, "test")
    store.complete(keys[:1])
    store.write_dead_letters([DeadLetter(TOPIC, 0, n, "json", "x", b"k", b"v", NOW_US) for n in range(3)])

    (row,) = source_ages(client)

    assert (row.event_us, row.seen_us, row.events, row.ignored) == (30, 20, 12, 3)
    assert pipeline_facts(client) == PipelineFacts(1, 1, 3)
    assert letter_groups(client, 5) == [("json", "?", 3, NOW_US)]


def test_a_whole_look(store: ClickHouseStore, client: Client) -> None:
    """Everything comes together; a scope is read in detail from the look on in which it is asked for."""
    due, then = Mark(NOW_S - DAY_S, good=False), Mark(NOW_S - DAY_S - HOUR_S, good=True)
    write(store, [("late", 1, "c1", None, due), ("done", 1, "c1", then, None)])
    store.write_rates([Rate("unit:75", "overdue", "now", 1, 1)], Heartbeat(1, 1, NOW_US, NOW_US))
    clock = [0.0]
    reading = Reading(client, Place(tree(), "75"), lambda: NOW_US + 5, lambda: clock[0], lambda: 42)

    first = reading.read(frozenset({"unit:75"}))
    clock[0] = 0.5
    store.write_rates([Rate("unit:75", "overdue", "now", 2, 3)], Heartbeat(1, 2, NOW_US, NOW_US))
    second = reading.read(frozenset({"unit:75", "unit:c1"}))

    assert first.figure("unit:75", "overdue", "now") == (1, 1)
    assert (first.lag, first.read_us, first.now_s) == (42, NOW_US + 5, NOW_S)
    province = first.details["unit:75"]
    assert province.ageing == Ageing(1, 0, 0, 0)
    assert [row.id for row in province.overdue] == ["late"]
    assert province.before["on_time", "today"] == (1, 1)
    assert "unit:c1" not in first.details
    assert second.figure("unit:75", "overdue", "now") == (2, 3)
    assert second.details["unit:c1"].ageing == Ageing(1, 0, 0, 0)


def test_a_store_without_figures_is_read_too(client: Client) -> None:
    """Before the first event everything is empty and nothing fails."""
    found = Reading(client, Place(tree(), "75"), lambda: NOW_US, lambda: 0.0).read(frozenset({"unit:75"}))

    assert (found.beat, dict(found.rates), found.sources) == (None, {}, [])
