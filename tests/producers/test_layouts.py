"""Rows become histories that never know what comes later."""

from datetime import datetime, timedelta
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from producers.layouts import Outcome, events_of
from producers.mapping_tables import FieldSource, Mapping, Moments, Status, Subject
from producers.plan import Plan

LOG = Mapping(
    name="log",
    kind="dossier",
    layout="log",
    source="test",
    subject=Subject(column="code", prefix="T-"),
    moments=Moments(start="start", row="at", end="end"),
    status=Status(start="accepted", row="processing", end="completed"),
    fields={
        "unit": (FieldSource(value="u"),),
        "channel": (FieldSource(column="how", known="case"),),
        "field": (FieldSource(column="field"),),
        "due_at": (FieldSource(column="due", known="start"),),
        "received_at": (FieldSource(moment="start"),),
        "finished_at": (FieldSource(moment="end"),),
    },
)
CASES = msgspec.structs.replace(
    LOG, layout="cases", moments=Moments(start="start", end="end"), status=Status(start="accepted", end="completed")
)
SNAPSHOTS = msgspec.structs.replace(
    LOG,
    layout="snapshots",
    moments=Moments(row="at"),
    status=None,
    fields={
        "unit": (FieldSource(value="u"),),
        "channel": (FieldSource(column="how"),),
        "status": (FieldSource(column="state"),),
        "finished_at": (FieldSource(column="end"),),
    },
)


def cells(hour: int, **more: str) -> dict[str, str]:
    """A row of case 1 that happened at an hour of a day."""
    return {"code": "1", "at": f"2026-01-01T{hour:02}:00:00+00:00", "how": "online", **more}


def play(mapping: Mapping, *rows: dict[str, str]) -> Outcome:
    """The events of rows numbered from 2."""
    return events_of(Plan(mapping), enumerate(rows, 2))


def states(outcome: Outcome) -> list[tuple[int, str, bool, bool]]:
    """Hour, status, whether received and whether finished, of each event."""
    data: list[tuple[datetime, Any]] = [(e.time, e.data) for e in outcome.events]
    return [(t.hour, d.status, d.received_at is not None, d.finished_at is not None) for t, d in data]


class TestLog:
    """Several rows a case."""

    def test_history_of_one_case(self) -> None:
        """Receipt, rows and end are played; later facts are not known before."""
        span = {"start": "2026-01-01T01:00:00Z", "end": "2026-01-01T05:00:00Z"}

        rv = play(LOG, cells(4, **span), cells(2, **span))

        assert states(rv) == [
            (1, "accepted", True, False),
            (2, "processing", True, False),
            (4, "processing", True, False),
            (5, "completed", True, True),
        ]

    def test_rows_after_the_end_do_not_reopen(self) -> None:
        """A case stays finished whatever follows."""
        span = {"start": "2026-01-01T01:00:00Z", "end": "2026-01-01T03:00:00Z"}

        rv = play(LOG, cells(2, **span), cells(6, **span))

        assert states(rv)[-1] == (6, "completed", True, True)

    def test_end_before_start(self) -> None:
        """A case that ends first is finished without receipt and stays finished with it."""
        span = {"start": "2026-01-01T05:00:00Z", "end": "2026-01-01T03:00:00Z", "due": "2026-01-09T00:00:00Z"}

        rv = play(LOG, cells(6, **span))

        assert states(rv) == [
            (3, "completed", False, True),
            (5, "completed", True, True),
            (6, "completed", True, True),
        ]
        assert [getattr(e.data, "due_at") is None for e in rv.events] == [True, False, False]  # noqa: B009

    def test_values_carry_forward(self) -> None:
        """An empty cell keeps the last value so far."""
        rv = play(LOG, cells(1, field="land"), cells(2, field=""), cells(3, field="tax"))

        assert [getattr(e.data, "field") for e in rv.events] == ["land", "land", "tax"]  # noqa: B009

    def test_one_instant_gets_ordinals(self) -> None:
        """Changes of one instant keep their order: receipt, rows as in the file, end."""
        span = {"start": "2026-01-01T02:00:00Z", "end": "2026-01-01T02:00:00Z"}

        rv = play(LOG, cells(2, field="a", **span), cells(2, field="b", **span))

        first = rv.events[0].version
        assert [e.version - first for e in rv.events] == [0, 1, 2, 3]
        assert [s[1] for s in states(rv)] == ["accepted", "processing", "processing", "completed"]
        assert [e.id for e in rv.events] == [f"T-1/{first + i}" for i in range(4)]

    def test_without_a_start_the_first_row_is_the_receipt(self) -> None:
        """A log without a column of receipt begins with its earliest row, wherever that stands."""
        plain = msgspec.structs.replace(LOG, moments=Moments(row="at", end="end"))

        rv = play(plain, cells(3, how="post"), cells(1, how="online"), cells(2, how="post"))

        assert states(rv) == [
            (1, "accepted", True, False),
            (2, "processing", True, False),
            (3, "processing", True, False),
        ]
        data: list[Any] = [e.data for e in rv.events]
        assert {(d.received_at.hour, d.channel) for d in data} == {(1, "online")}

    def test_refused_row_is_refused_alone(self) -> None:
        """A wrong time and an unknown channel cost their rows only."""
        rv = play(LOG, cells(1), cells(2, how="fax"), cells(3) | {"at": "noon"}, cells(4))

        assert [e.time.hour for e in rv.events] == [1, 4]
        assert [(r.row, r.column) for r in rv.refusals] == [(3, "how"), (4, "at")]
        assert "noon" in str(rv.refusals[1])

    def test_row_without_what_is_required(self) -> None:
        """A row whose channel nobody ever said is refused with its column."""
        rv = play(LOG, cells(1, how=""))

        assert not rv.events
        assert str(rv.refusals[0]).startswith("row 2, column how: channel is not known")

    def test_row_without_subject_or_time(self) -> None:
        """A row that is nobody's or happened never is refused."""
        rv = play(LOG, cells(1, code=" "), cells(1, at=""), cells(1, code="x" * 63))

        assert [r.column for r in rv.refusals] == ["code", "at", "code"]

    def test_facts_of_the_future_are_withheld(self) -> None:
        """A fact that a mapping calls known too early is held back until its time."""
        hasty = msgspec.structs.replace(
            LOG, fields={**LOG.fields, "submitted_at": (FieldSource(column="sent", known="case"),)}
        )

        rv = play(hasty, cells(1, sent="2026-01-01T02:30:00Z"), cells(2), cells(3))

        assert [getattr(e.data, "submitted_at") is None for e in rv.events] == [True, True, False]  # noqa: B009

    @given(
        st.lists(st.integers(0, 6), min_size=1, max_size=8),
        st.none() | st.integers(0, 6),
        st.none() | st.integers(0, 6),
    )
    def test_versions_grow_and_the_future_stays_hidden(
        self, hours: list[int], start: int | None, end: int | None
    ) -> None:
        """Whatever the order of rows, start and end, versions grow strictly and no fact is early."""
        span = {k: "" if h is None else f"2026-01-01T{h:02}:00:00Z" for k, h in (("start", start), ("end", end))}

        rv = play(LOG, *(cells(h, **span) for h in hours))

        versions = [e.version for e in rv.events]
        assert len(versions) == len(hours) + (start is not None) + (end is not None)
        assert versions == sorted(set(versions))
        done = [s[1] == "completed" for s in states(rv)]
        assert done == sorted(done)
        for event in rv.events:
            facts = [getattr(event.data, name) for name in ("received_at", "finished_at")]
            assert all(f is None or f <= event.time for f in facts)
            drift = event.version - round(event.time.timestamp() * 1_000_000)
            assert 0 <= drift <= len(versions)


class TestCases:
    """One row a case."""

    def test_two_snapshots_a_case(self) -> None:
        """A finished case has a receipt and an end, an open one a receipt only."""
        rv = play(
            CASES,
            cells(0, start="2026-01-01T01:00:00Z", end="2026-01-01T02:00:00Z"),
            cells(0, code="2", start="2026-01-01T01:00:00Z"),
        )

        assert states(rv) == [
            (1, "accepted", True, False),
            (1, "accepted", True, False),
            (2, "completed", True, True),
        ]
        assert [e.subject for e in rv.events] == ["T-1", "T-2", "T-1"]

    def test_second_row_of_a_case_is_refused(self) -> None:
        """A code that comes again is refused with the row that has it."""
        rv = play(CASES, cells(0, start="2026-01-01T01:00:00Z"), cells(0, start="2026-01-01T02:00:00Z"))

        assert [str(r) for r in rv.refusals] == ["row 3, column code: T-1 is already in row 2"]

    def test_case_without_moments_is_refused(self) -> None:
        """A case that neither started nor ended cannot be placed in time."""
        rv = play(CASES, cells(0))

        assert rv.refusals[0].column == "start"


class TestSnapshots:
    """Each row one state."""

    def test_each_row_is_a_state(self) -> None:
        """Rows are taken as they are, in the order of their moments."""
        rv = play(
            SNAPSHOTS,
            cells(2, state="completed", end="2026-01-01T01:30:00Z"),
            cells(1, state="processing"),
            cells(2, state="returned", end="2026-01-01T01:30:00Z"),
        )

        assert [s[1] for s in states(rv)] == ["processing", "completed", "returned"]
        assert rv.events[2].version == rv.events[1].version + 1

    def test_first_source_with_a_value_counts(self) -> None:
        """Of several sources of a field the first that has a value is taken."""
        either = (FieldSource(column="field"), FieldSource(column="area"))
        mapping = msgspec.structs.replace(SNAPSHOTS, fields={**SNAPSHOTS.fields, "field": either})
        state = {"state": "accepted"}

        rv = play(
            mapping, cells(1, field="land", area="x", **state), cells(2, area="tax", **state), cells(3, **state)
        )

        data: list[Any] = [e.data for e in rv.events]
        assert [d.field for d in data] == ["land", "tax", None]

    def test_refusals_come_by_row(self) -> None:
        """Refusals are told in the order of the file, whatever found them."""
        rv = play(SNAPSHOTS, cells(5, state="completed"), cells(1, state="lost"), cells(2, state="completed"))

        assert [r.row for r in rv.refusals] == [2, 3, 4]

    def test_status_without_its_time_is_refused(self) -> None:
        """A finished row without its end cannot be counted and is refused."""
        rv = play(SNAPSHOTS, cells(2, state="completed"))

        assert (rv.refusals[0].row, rv.refusals[0].column) == (2, "end")

    def test_integer_version(self) -> None:
        """A version column orders the rows and gives their time."""
        counted = msgspec.structs.replace(SNAPSHOTS, moments=Moments(version="v", version_unit="ms"))

        bad = [cells(0, v=v, state="accepted") for v in ("x", "-1", "3", "9" * 20, "")]
        rv = play(counted, cells(0, v="1767225600001", state="accepted"), *bad)

        assert [(e.version, e.time.isoformat()) for e in rv.events] == [
            (1_767_225_600_001_000, "2026-01-01T00:00:00.001000+00:00")
        ]
        assert [r.column for r in rv.refusals] == ["v"] * len(bad)


def test_same_rows_same_events() -> None:
    """A second replay is identical to the bit."""
    rows = [cells(h, start="2026-01-01T01:00:00Z", end="2026-01-01T02:00:00Z") for h in (1, 2, 3)]

    first, second = play(LOG, *rows), play(LOG, *rows)

    assert msgspec.json.encode(first.events) == msgspec.json.encode(second.events)
    assert timedelta(0) <= first.events[-1].time - first.events[0].time
