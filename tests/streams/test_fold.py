"""Fold of one partition: what is asked for, refused, withdrawn, added and told, snapshot by snapshot."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from contract.decode import Horizon
from contract.dossier import DOSSIER
from contract.kind import Event
from contract.marks import Mark
from contract.partition import partition_of
from contract.units import START_S, Period
from contract.windows import Level
from streams.fold import EpochContestedError, PartitionFold
from streams.intake import Intake, content_hash, take_in
from streams.partitioner import owner_of
from streams.places import Places
from streams.rows import EntityBatch, EpochKey, PaneBatch, Partition, Progress, Seen, SourceRow, Stored
from tests.support.events import FakeRecord, at, dossier, record
from tests.support.panes import batch_of, kept, single

HERE = Partition(DOSSIER.topic, 0)
KEY = EpochKey(*HERE, 9)
NOW_S = 1_770_003_600
WALL_US = NOW_S * 1_000_000
START = 100
MARKED = [indicator.key for indicator in DOSSIER.marked]
NONE = (None,) * len(MARKED)


def periods(unit: str, field: str | None) -> list[Period]:
    """The unit, its province and the field, for ever."""
    return [(START_S, (f"unit:{unit}", "unit:p", *([f"field:{field}"] if field else [])))]


def snapshot(subject: str, version: int, channel: str = "online", **fields: Any) -> Event:
    """A dossier received an hour ago, at a version that is a few seconds old."""
    plain = {"time": at(NOW_S), "received_at": at(NOW_S - 3_600), "channel": channel}
    return dossier(subject, WALL_US - 10_000_000 + version, **plain | fields)


class Run:
    """A fold with what it has handed on; ``stored`` is what the store knows."""

    def __init__(self, partitions: int = 1, seen: set[Seen] | None = None) -> None:
        owners = owner_of({DOSSIER.topic: partitions})(HERE)
        self.fold = PartitionFold(DOSSIER, KEY, START, seen or set(), 0, owners, Places(periods))
        self.offset = START
        self.stored: dict[str, Stored] = {}
        self.batch = EntityBatch(DOSSIER)
        self.intake = Intake()
        self.told: dict[tuple[str, str], tuple[int, int]] = {}

    def flush(self, *events: Event) -> Progress:
        """Fold events as one flush, as the folder does."""
        self.intake, self.batch = Intake(), EntityBatch(DOSSIER)
        records = [record(self.offset + n, event) for n, event in enumerate(events)]
        self.offset += len(records)
        take_in(self.intake, DOSSIER, HERE, records, Horizon(WALL_US))
        missing = self.fold.missing(self.intake)
        found = {subject: row for subject, row in self.stored.items() if subject in missing}
        self.fold.check(found)
        self.fold.tick(self.intake)
        self.fold.apply(self.intake, found, self.batch, NOW_S, WALL_US)
        panes = PaneBatch()
        progress = self.fold.close_flush(self.intake, panes)
        totals = [p for p in single(panes.blocks) if p.level == Level.TOTAL]
        self.told = {(p.scope, p.indicator): (p.good, p.counted) for p in totals}
        return progress

    @property
    def figures(self) -> dict[tuple[str, str], tuple[int, int]]:
        """All totals: (scope, indicator) → (good, count)."""
        return {
            (p.scope, p.indicator): (p.good, p.counted)
            for p in kept(self.fold.panes)
            if p.level == Level.TOTAL and p.counted
        }

    def online(self) -> dict[str, tuple[int, int]]:
        """Totals of ``online`` by scope."""
        return {scope: figure for (scope, indicator), figure in self.figures.items() if indicator == "online"}


def row_of(event: Any, **changes: Any) -> Stored:
    """The row that an earlier epoch wrote of a snapshot, at an offset before the start."""
    marks = tuple(indicator.mark(event.data) for indicator in DOSSIER.marked if indicator.mark is not None)
    content = content_hash(record(0, event).value)
    found = Stored(event.version, content, event.data.unit, event.data.field, marks, START - 1, KEY.epoch - 1)
    return msgspec.structs.replace(found, **changes)


# -- rule 2 ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "contested"),
    [
        pytest.param({"offset": START}, True, id="at the start"),
        pytest.param({"offset": START + 5}, True, id="after the start"),
        pytest.param({"offset": START - 1}, False, id="before the start"),
        pytest.param({"offset": START, "epoch": KEY.epoch}, False, id="written by this epoch"),
        pytest.param({"offset": START, "version": 5, "content": 6, "epoch": 3}, False, id="seen by the rebuild"),
        pytest.param({"offset": START, "version": 4, "content": 6, "epoch": 3}, True, id="seen with another version"),
        pytest.param({"offset": START, "version": 5, "content": 7, "epoch": 3}, True, id="seen with another content"),
        pytest.param({"offset": START, "version": 5, "content": 6, "epoch": 2}, True, id="seen in another epoch"),
    ],
)
def test_a_row_that_the_rebuild_cannot_have_counted_contests_the_epoch(
    changes: Mapping[str, Any], *, contested: bool
) -> None:
    """The error names the partition and its entity, and nothing has changed before it."""
    run = Run(seen={Seen("a", 5, 6, 3)})
    run.stored["b"] = row_of(snapshot("b", 1))
    run.stored["a"] = row_of(snapshot("a", 1), **changes)

    if not contested:
        run.fold.check(run.stored)
        return
    with pytest.raises(EpochContestedError) as caught:
        run.flush(snapshot("b", 2), snapshot("a", 2))

    assert caught.value.key == KEY
    assert str(caught.value) == "nhip.dossiers[0]: a row of a landed after the rebuild"
    assert (run.figures, len(run.fold.memory), run.fold.flush, run.batch.events) == ({}, 0, 0, [])


def test_a_row_seen_of_another_entity_is_no_excuse() -> None:
    """Versions and contents alike mean nothing between two dossiers."""
    run = Run(seen={Seen("a", 5, 6, 3)})

    with pytest.raises(EpochContestedError, match="a row of b"):
        run.fold.check({"b": row_of(snapshot("b", 1), version=5, content=6, epoch=3, offset=START)})


# -- newest snapshots -------------------------------------------------------------------------------------------


def test_a_new_entity_is_written_and_counted() -> None:
    """Its row holds what is needed to withdraw it later; the flush tells which scopes it changed."""
    run = Run()

    progress = run.flush(snapshot("a", 1, unit="u", field="land"), snapshot("b", 1, "counter", unit="u"))

    batch = run.batch
    assert [event.subject for event in batch.events] == ["a", "b"]
    assert batch.contents == [content_hash(record(0, event).value) for event in batch.events]
    assert batch.marks == [row_of(event).marks for event in batch.events]
    assert batch.partitions == [0, 0]
    assert batch.offsets == [START, START + 1]
    assert batch.epochs == [KEY.epoch] * 2
    assert run.online() == {"unit:u": (1, 2), "unit:p": (1, 2), "field:land": (1, 1)}
    assert progress == Progress(KEY, 1, START + 1, WALL_US, ["field:land", "unit:p", "unit:u"])


def test_a_snapshot_that_changes_no_mark_changes_no_pane() -> None:
    """Its row is written all the same: a later look-up must find the newest."""
    run = Run()
    run.flush(snapshot("a", 1))

    progress = run.flush(snapshot("a", 2))

    assert [event.version for event in run.batch.events] == [WALL_US - 10_000_000 + 2]
    assert run.told == {}
    assert progress == Progress(KEY, 2, START + 1, WALL_US, [])


@pytest.mark.parametrize("where", ["memory", "store"])
@pytest.mark.parametrize(
    ("then", "online"),
    [
        pytest.param(
            snapshot("a", 2, "counter", unit="u", field="f"), {"unit:u": 0, "unit:p": 0, "field:f": 0}, id="mark"
        ),
        pytest.param(snapshot("a", 2, unit="v", field="f"), {"unit:v": 1, "unit:p": 1, "field:f": 1}, id="unit"),
        pytest.param(snapshot("a", 2, unit="u", field="g"), {"unit:u": 1, "unit:p": 1, "field:g": 1}, id="field"),
        pytest.param(snapshot("a", 2, unit="u"), {"unit:u": 1, "unit:p": 1}, id="field left out"),
        pytest.param(snapshot("a", 2, unit="u", status="void"), {}, id="no longer counted"),
    ],
)
def test_a_change_withdraws_what_was_counted_and_adds_what_counts_now(
    where: str, then: Event, online: dict[str, int]
) -> None:
    """Each scope counts the dossier once, wherever what was known of it comes from."""
    first = snapshot("a", 1, unit="u", field="f")
    run = Run()
    run.flush(first)
    if where == "store":
        other = Run()
        for block in batch_of(kept(run.fold.panes)).blocks:
            other.fold.panes.load(block)
        other.stored["a"] = row_of(first)
        run = other

    progress = run.flush(then)

    assert run.online() == {scope: (good, 1) for scope, good in online.items()}
    fresh = Run()
    fresh.flush(then)
    assert run.figures == fresh.figures
    changed = {scope for scope, _ in run.told}
    assert changed == set(progress.scopes)
    assert changed >= set(online) ^ {"unit:u", "unit:p", "field:f"}


def test_only_marks_that_changed_are_written() -> None:
    """Finished late: what was received stays as it is, what was open is withdrawn."""
    run = Run()
    run.flush(snapshot("a", 1, due_at=at(NOW_S - 60)))
    before = run.figures

    run.flush(snapshot("a", 2, status="completed", due_at=at(NOW_S - 60), finished_at=at(NOW_S - 30)))

    told = Counter(indicator for _, indicator in run.told)
    assert ("unit:H19.01", "overdue") in before
    assert "online" not in told
    assert run.told["unit:H19.01", "overdue"] == (0, 0)
    assert run.figures["unit:H19.01", "on_time"] == (0, 1)


@pytest.mark.parametrize("where", ["memory", "store"])
@pytest.mark.parametrize("version", [1, 2])
def test_what_is_not_newer_is_ignored_and_counted_as_such(where: str, version: int) -> None:
    """An older version, and the same again: no row, no pane, and nobody is asked a second time."""
    run = Run()
    newest = snapshot("a", 2, unit="u")
    if where == "memory":
        run.flush(newest)
    else:
        run.stored["a"] = row_of(newest)

    progress = run.flush(snapshot("a", version, "online" if version == 2 else "counter", unit="u"))

    assert run.batch.events == []
    assert progress.scopes == []
    assert run.intake.sources["test", "u"].ignored == 1
    assert run.fold.memory.to_ask_for(["a"]) == []


def test_of_two_contents_of_one_version_the_larger_hash_counts() -> None:
    """Over flushes as within one, and in any order."""
    one, two = snapshot("a", 1), snapshot("a", 1, "counter")
    forward, backward = Run(), Run()

    for run, events in ((forward, (one, two)), (backward, (two, one))):
        for event in events:
            run.flush(event)

    larger = max((one, two), key=lambda event: content_hash(record(0, event).value))
    alone = Run()
    alone.flush(larger)
    assert forward.figures == backward.figures == alone.figures


def test_a_row_without_marks_is_known_too() -> None:
    """A void dossier that comes back is added, and nothing is withdrawn."""
    run = Run()
    run.stored["a"] = row_of(snapshot("a", 1), marks=NONE)

    run.flush(snapshot("a", 2))

    assert run.online() == {"unit:H19.01": (1, 1), "unit:p": (1, 1)}


# -- rule 5 ---------------------------------------------------------------------------------------------------


def test_an_entity_of_another_partition_is_refused_at_first_sight() -> None:
    """With the remedy; one that is known already is folded, so that a changed count does not lose it."""
    run = Run(partitions=2)
    home, stray, known = (
        next(f"{name}{n}" for n in range(50) if partition_of(f"{name}{n}".encode(), 2) == number)
        for name, number in (("home", 0), ("stray", 1), ("known", 1))
    )
    run.stored[known] = row_of(snapshot(known, 1))

    progress = run.flush(*(snapshot(subject, 2) for subject in (stray, home, known)))

    (letter,) = run.intake.dead
    assert (letter.offset, letter.key, letter.reason, letter.time_us) == (START, stray.encode(), "partition", WALL_US)
    assert letter.error == "the key belongs to partition 1, not 0: set the producer's partitioner to murmur2"
    assert [event.subject for event in run.batch.events] == [home, known]
    assert run.fold.memory.get(stray) is None
    assert progress.offset == START + 2


# -- what a flush tells -----------------------------------------------------------------------------------------


def test_flushes_are_numbered_and_panes_told_once() -> None:
    """A flush without change tells none; the numbers go on from the rebuild's."""
    run = Run()
    run.fold.flush = 1
    first = run.flush(snapshot("a", 1))
    again = dict(run.told)

    second = run.flush()

    assert (first.flush, second.flush) == (2, 3)
    assert again
    assert run.told == {}
    assert second == Progress(KEY, 3, -1, WALL_US, [])


def test_the_clock_of_events_is_the_newest_time_and_never_goes_back() -> None:
    """An older event, and none at all, leave it where it is."""
    run = Run()
    clocks = [
        run.flush(*(snapshot("a", n, time=at(NOW_S + step)) for step in steps)).clock_us
        for n, steps in enumerate([[5], [3], [], [9]])
    ]

    assert clocks == [(NOW_S + step) * 1_000_000 for step in (5, 5, 5, 9)]


def test_sources_are_counted_since_the_epoch_began() -> None:
    """Only those that spoke in the flush are told, with their newest time ever."""
    run = Run()
    told = []
    for events in (
        [snapshot("a", 2, unit="u"), snapshot("b", 1, unit="v", time=at(NOW_S - 5))],
        [snapshot("a", 1, unit="u", time=at(NOW_S - 9))],
        [],
    ):
        run.flush(*events)
        told.append(run.fold.sources(run.intake, 77))

    assert told == [
        [
            SourceRow("test", "u", KEY, 1, WALL_US, 77, 1, 0),
            SourceRow("test", "v", KEY, 1, WALL_US - 5_000_000, 77, 1, 0),
        ],
        [SourceRow("test", "u", KEY, 2, WALL_US, 77, 2, 1)],
        [],
    ]


def test_the_flush_that_is_not_stored_yet_is_not_forgotten() -> None:
    """Whatever the bound, its entities stay; before, as many as fit."""
    run = Run()
    run.flush(*(snapshot(name, 1) for name in "abcd"))
    run.flush(*(snapshot(name, 1) for name in "ef"))

    run.fold.evict(3)
    kept = len(run.fold.memory)
    run.fold.evict(0)

    assert kept == 3
    assert len(run.fold.memory) == 2
    assert run.fold.memory.to_ask_for("abcdef") == list("abcd")


def test_what_is_missing_is_what_memory_does_not_know() -> None:
    """The store is asked for nothing else."""
    run = Run()
    run.flush(snapshot("a", 1))
    intake = Intake()
    take_in(intake, DOSSIER, HERE, [record(1, snapshot("a", 2)), record(2, snapshot("b", 1))], Horizon(WALL_US))

    assert run.fold.missing(intake) == ["b"]


def test_a_mark_is_counted_at_the_levels_of_its_age() -> None:
    """One of this minute in every level, one of years ago in days and totals."""
    run = Run()
    run.flush(snapshot("new", 1, received_at=at(NOW_S)), snapshot("old", 1, received_at=at(NOW_S - 900 * 86_400)))

    levels = {
        at_s: {p.level for p in kept(run.fold.panes) if p.indicator == "online" and p.counted == 1 and p.at_s <= at_s}
        for at_s in (NOW_S - 800 * 86_400, NOW_S)
    }

    assert levels[NOW_S - 800 * 86_400] == {Level.DAY}
    assert levels[NOW_S] == {Level.DAY, Level.HOUR, Level.MINUTE}
    assert run.online() == {"unit:H19.01": (2, 2), "unit:p": (2, 2)}


def test_a_record_is_any_that_has_offset_key_and_value() -> None:
    """The fold asks for nothing else of it."""
    run = Run()
    take_in(run.intake, DOSSIER, HERE, [FakeRecord(1, b"a", record(0, snapshot("a", 1)).value)], Horizon(WALL_US))

    run.fold.apply(run.intake, {}, run.batch, NOW_S, WALL_US)

    assert run.batch.offsets == [1]
    assert run.batch.marks[0][MARKED.index("online")] == Mark(NOW_S - 3_600, good=True)
