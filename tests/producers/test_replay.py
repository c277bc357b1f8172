"""The sample files give the figures that were computed apart from this project."""

import csv
import random
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from contract.decode import Horizon, decode
from contract.kind import Event
from contract.registry import INDICATORS
from producers.layouts import Outcome
from producers.mapping import load_mapping
from producers.replay import ReplayError, read_events, replay, shift_to, shifted

DATA = Path(__file__).parents[2] / "data"


class Kept:
    """A target that keeps what it is sent."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.flushed = 0

    def send(self, *events: Event) -> None:
        """Keep events."""
        self.events.extend(events)

    def flush(self) -> None:
        """Note that somebody asked."""
        self.flushed += 1


@pytest.fixture(scope="module")
def receipt() -> Outcome:
    """The permits of receipt.csv."""
    return read_events(DATA / "receipt.csv", load_mapping("receipt"))


@pytest.fixture(scope="module")
def fines() -> Outcome:
    """The fines of fines.csv."""
    return read_events(DATA / "fines.csv", load_mapping("fines"))


def rows_of(name: str) -> list[dict[str, str]]:
    """The rows of a sample, read without this project."""
    with (DATA / name).open(newline="") as file:
        return list(csv.DictReader(file))


def newest(events: Sequence[Event]) -> dict[str, Any]:
    """The last snapshot of each subject."""
    best: dict[str, Event] = {}
    for event in events:
        if event.subject not in best or best[event.subject].version < event.version:
            best[event.subject] = event
    return {subject: event.data for subject, event in best.items()}


def rate(key: str, snapshots: dict[str, Any]) -> tuple[int, int]:
    """Numerator and denominator of an indicator over snapshots."""
    mark = INDICATORS[key].mark
    assert mark is not None
    marks = [m for m in map(mark, snapshots.values()) if m is not None]
    return sum(m.good for m in marks), len(marks)


class TestReceipt:
    """The building permits."""

    def test_truth(self, receipt: Outcome) -> None:
        """Dossiers, rates and departments are those of the data's own README."""
        last = newest(receipt.events)

        assert not receipt.refusals
        assert len(last) == 1434
        assert rate("online", last) == (1250, 1434)
        assert rate("on_time", last) == (952, 1329)
        assert rate("overdue", last)[1] == 1434 - 1329
        assert Counter(d.unit for d in last.values()) == {
            "wabo.general": 1390,
            "wabo.customer-contact": 29,
            "wabo.experts": 15,
        }
        assert Counter(d.channel for d in last.values()) == {"online": 1250, "counter": 109, "post": 53, "other": 22}

    def test_one_event_for_receipt_rows_and_end(self, receipt: Outcome) -> None:
        """Every change is one event: 1,434 receipts, 8,577 rows, 1,329 ends."""
        assert len(receipt.events) == 1434 + 8577 + 1329

    def test_no_event_knows_the_future(self, receipt: Outcome) -> None:
        """At its time each event holds what the file says had happened by then, and nothing else."""
        truth = {
            r["case:concept:name"]: (r["case:startdate"], r["case:enddate"] or None) for r in rows_of("receipt.csv")
        }
        for event in receipt.events:
            data: Any = event.data
            start, end = (None if t is None else datetime.fromisoformat(t) for t in truth[event.subject])
            assert start is not None
            received, finished = start <= event.time, end is not None and end <= event.time

            # In the very instant of the end a row may come just before it.
            if end is not None and event.time == end:
                finished = data.status == "completed"
            assert (data.received_at is not None, data.finished_at is not None) == (received, finished)
            assert (data.due_at is not None) == received
            assert (data.status == "completed") == finished

    def test_traps_of_the_file(self, receipt: Outcome) -> None:
        """145 dossiers have rows after their end, two end before they start: all stay finished."""
        histories: dict[str, list[tuple[datetime, Any]]] = {}
        for event in receipt.events:
            histories.setdefault(event.subject, []).append((event.time, event.data))

        late = early = 0
        for history in histories.values():
            ends = [i for i, (_, d) in enumerate(history) if d.status == "completed"]
            if ends:
                assert ends == list(range(ends[0], len(history)))
                late += history[-1][0] > history[-1][1].finished_at and history[-1][1].received_at != history[-1][0]
                early += history[ends[0]][1].received_at is None

        assert (late, early) == (145, 2)

    def test_every_event_is_accepted_by_readers(self, receipt: Outcome, fines: Outcome) -> None:
        """What is sent passes the contract's own checks and comes out equal."""
        for events, name in ((receipt.events, "receipt"), (fines.events, "fines")):
            kind, horizon = load_mapping(name).declared, Horizon(1_800_000_000_000_000)

            assert all(decode(kind, msgspec.json.encode(e), horizon) == e for e in events)

    def test_versions_grow_per_dossier(self, receipt: Outcome) -> None:
        """In the order of sending, versions of a dossier grow strictly."""
        seen: dict[str, int] = {}
        for event in receipt.events:
            assert seen.get(event.subject, -1) < event.version
            seen[event.subject] = event.version


class TestFines:
    """The traffic fines."""

    def test_against_plain_arithmetic(self, fines: Outcome) -> None:
        """Paid fines and the sum of their last totals equal those of the file."""
        totals: dict[str, Decimal] = {}
        paid = set()
        for row in sorted(rows_of("fines.csv"), key=lambda r: datetime.fromisoformat(r["time:timestamp"])):
            if row["concept:name"] == "Payment":
                paid.add(row["case:concept:name"])
                totals[row["case:concept:name"]] = Decimal(row["totalPaymentAmount"])
        last = newest(fines.events)

        assert not fines.refusals
        assert len(last) == 100
        assert {s for s, d in last.items() if d.status == "paid"} == paid
        assert sum(d.amount_vnd for d in last.values() if d.status == "paid") == sum(totals.values()) * 100
        assert rate("online_payment", last) == (0, len(paid)) == (0, 48)

    def test_history_of_one_fine(self, fines: Outcome) -> None:
        """Due with its amount, a penalty, then paid with the running total at the latest payment."""
        history: list[Any] = [e.data for e in fines.events if e.subject == "S106046"]

        rv = [(d.status, d.amount_vnd, None if d.paid_at is None else d.paid_at.date().isoformat()) for d in history]

        assert rv == [
            ("due", 3500, None),
            ("due", 3500, None),
            ("due", 3500, None),
            ("due", 7150, None),
            ("paid", 4925, "2007-05-28"),
            ("paid", 8250, "2007-07-05"),
        ]


class TestFaults:
    """Bad files and bad rows."""

    def test_missing_column(self, tmp_path: Path) -> None:
        """A file without a column of the mapping is refused with what it has."""
        path = tmp_path / "a.csv"
        path.write_text("case;when\n1;2\n")

        with pytest.raises(ReplayError) as caught:
            read_events(path, load_mapping("receipt"))

        for words in (str(path), "'case:concept:name'", "receipt.toml", "'case;when'"):
            assert words in str(caught.value)

    def test_missing_column_without_rows(self, tmp_path: Path) -> None:
        """A header alone is enough to see that a column is missing."""
        path = tmp_path / "a.csv"
        path.write_text("case,when\n")

        with pytest.raises(ReplayError, match="'case:concept:name'"):
            read_events(path, load_mapping("receipt"))

    def test_bad_rows_are_reported_and_the_rest_goes_on(self, tmp_path: Path) -> None:
        """A wrong time and an unknown channel cost two rows, and are named."""
        lines = (DATA / "receipt.csv").read_text().splitlines(keepends=True)[:8]
        lines[2] = lines[2].replace("Internet", "Telegraph", 1)
        lines[3] = lines[3].replace("2011-11-24 15:36:51.302000+01:00", "24 November")
        path = tmp_path / "a.csv"
        path.write_text("".join(lines))

        rv = read_events(path, load_mapping("receipt"))

        assert [(r.row, r.column) for r in rv.refusals] == [(3, "case:channel"), (4, "time:timestamp")]
        assert rv.events

    def test_column_that_no_json_object_has(self, tmp_path: Path) -> None:
        """A column that is in no line at all is missing, not empty."""
        path = tmp_path / "a.jsonl"
        path.write_text('{"case:enddate": 1}\n')

        with pytest.raises(ReplayError, match=r"'case:concept:name'.*it has 'case:enddate'"):
            read_events(path, load_mapping("receipt"))

    def test_nulls_may_be_left_out_of_json(self, tmp_path: Path) -> None:
        """In JSON lines a column need not be in every object."""
        rows = rows_of("receipt.csv")[:20]
        path = tmp_path / "a.jsonl"
        path.write_text("\n".join(msgspec.json.encode({k: v for k, v in r.items() if v}).decode() for r in rows))

        rv = read_events(path, load_mapping("receipt"))

        assert len(rv.events) > 20
        assert not rv.refusals


def _times(event: Event) -> dict[str, datetime]:
    data = {name: getattr(event.data, name) for name in ("received_at", "due_at", "finished_at")}
    return {"time": event.time} | {name: moment for name, moment in data.items() if moment is not None}


class TestReplay:
    """Sending in order, at a pace, moved in time."""

    def test_order_and_flush(self, receipt: Outcome) -> None:
        """Events are sent by time, subject and version, and are stored at the end."""
        events = receipt.events[:500]
        mixed = random.Random(1).sample(events, len(events))
        target, progress = Kept(), []

        rv = replay(
            mixed,
            target,
            clock=lambda: 0.0,
            sleep=lambda _: pytest.fail("full speed"),
            on_progress=lambda sent, total: progress.append((sent, total)),
        )

        assert rv == 500
        assert target.events == events
        assert target.flushed == 1
        assert progress == [(500, 500)]

    def test_speed_keeps_the_pace(self, receipt: Outcome) -> None:
        """With a speed, events leave at their distance divided by it."""
        now = [100.0]
        events = receipt.events[:300]
        left: list[float] = []

        def sleep(seconds: float) -> None:
            now[0] += seconds

        replay(
            events,
            Kept(),
            clock=lambda: now[0],
            sleep=sleep,
            speed=3600,
            on_progress=lambda _sent, _total: left.append(now[0]),
        )

        expected = [100 + (e.time - events[0].time).total_seconds() / 3600 for e in events]
        assert left == pytest.approx(expected)

    def test_speed_of_zero_is_refused(self) -> None:
        """A replay that would never end is not begun."""
        with pytest.raises(ValueError, match="above zero"):
            replay([], Kept(), clock=lambda: 0.0, sleep=lambda _: None, speed=0)

    def test_shift_moves_everything(self, receipt: Outcome) -> None:
        """Shifted to now, the newest event is now, order and rates are the same and nobody knows the future."""
        now = datetime(2026, 11, 21, 9, 0, 0, 123456, tzinfo=UTC)
        target = Kept()

        replay(receipt.events, target, clock=lambda: 0.0, sleep=lambda _: None, shift=shift_to(receipt.events, now))

        assert target.events[-1].time == now
        assert rate("on_time", newest(target.events)) == (952, 1329)
        assert all(e.id == f"{e.subject}/{e.version}" for e in target.events)
        shift = now - receipt.events[-1].time
        for before, after in zip(receipt.events, target.events, strict=True):
            old, new = _times(before), _times(after)
            assert new == {name: moment + shift for name, moment in old.items()}
            assert after.version - before.version == shift // timedelta(microseconds=1)

    def test_shift_there_and_back(self, receipt: Outcome) -> None:
        """A shift and its opposite give the same event."""
        shift = timedelta(days=5000, microseconds=7)

        assert all(shifted(shifted(e, shift), -shift) == e for e in receipt.events[:200])

    def test_shift_of_nothing(self) -> None:
        """Without events there is nothing to move."""
        assert shift_to([], datetime(2026, 1, 1, tzinfo=UTC)) == timedelta(0)
