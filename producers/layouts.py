"""From rows to events, for the three layouts. Pure: rows in, events and refusals out.

**The past never knows the future.** From ``log`` and ``cases`` a snapshot is made for the receipt, for each
row of a log, and for the end; each holds only what was known at its moment. A time that says what *has
happened* is withheld while it lies after the moment of the snapshot, whatever the mapping says. After the
end nothing reopens a case, also if rows follow, or if the end lies before the start.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from contract.kind import Event
from contract.marks import epoch_us
from producers.plan import Plan, Row
from producers.refusal import Refusal

__all__ = ["Outcome", "events_of", "present"]

_START, _ROW, _END = 0, 1, 2
"""Order of changes in one instant."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_END_OF_TIME = datetime.max.replace(tzinfo=UTC)


class Outcome(NamedTuple):
    """What a file became: ``events`` by time, subject and version; ``refusals`` by row."""

    events: list[Event]
    refusals: list[Refusal]


class _Change(NamedTuple):
    moment: datetime
    order: int
    row: Row
    reads: bool
    """Whether the cells of the row became known here."""


def events_of(plan: Plan, cells: Iterable[tuple[int, dict[str, str]]]) -> Outcome:
    """Turn numbered rows into events.

    A row that cannot be read is refused alone. Versions are microseconds since 1970 of the change, moved on
    by one where two changes of an entity share an instant, so they grow strictly per subject; ids follow
    from them: the same rows give the same events, to the bit.
    """
    refusals: list[Refusal] = []
    by_subject: dict[str, list[Row]] = defaultdict(list)
    for number, texts in cells:
        row = plan.read(number, texts)
        if isinstance(row, Refusal):
            refusals.append(row)
        else:
            by_subject[row.subject].append(row)
    snapshots = {"log": _log, "cases": _case, "snapshots": _full}[plan.mapping.layout]
    events = [e for rows in by_subject.values() for e in _accepted(snapshots(plan, rows), refusals)]
    events.sort(key=lambda e: (e.time, e.subject, e.version))
    refusals.sort(key=lambda r: r.row)
    return Outcome(events, refusals)


def present(plan: Plan, row: Row, moment: datetime, version: int) -> Event | Refusal:
    """Return the one snapshot of what a row of ``cases`` or ``snapshots`` says now; for sources without a history.

    Nothing is withheld: what stands in the row is known. ``moment`` and ``version`` become the event's.
    """
    if plan.mapping.layout == "snapshots":
        return _event(plan, row, moment, version, _row_values(plan, row))
    if row.start is None and row.end is None:
        return _momentless(plan, row)
    state = _State(plan, [row])
    for at, order in ((row.start, _START), (row.end, _END)):
        if at is not None:
            state.apply(_Change(at, order, row, reads=False))
    return _event(plan, row, moment, version, state.values(_END_OF_TIME))


def _accepted(made: Iterator[Event | Refusal], refusals: list[Refusal]) -> Iterator[Event]:
    for one in made:
        if isinstance(one, Refusal):
            refusals.append(one)
        else:
            yield one


def _log(plan: Plan, rows: list[Row]) -> Iterator[Event | Refusal]:
    rows = sorted(rows, key=_row_moment)
    start = next((r.start for r in rows if r.start is not None), None)
    changes = [_Change(_row_moment(r), _ROW, r, reads=True) for r in rows]
    if plan.mapping.moments.start is None:
        # The log itself is the only witness: its first row is the receipt.
        changes[0] = changes[0]._replace(order=_START)
    elif start is not None:
        changes.append(_Change(start, _START, rows[0], reads=False))
    return _history(plan, rows, changes)


def _case(plan: Plan, rows: list[Row]) -> Iterator[Event | Refusal]:
    first, *others = rows
    for other in others:
        yield Refusal(other.number, plan.mapping.subject.column, f"{other.subject} is already in row {first.number}")
    if first.start is None and first.end is None:
        yield _momentless(plan, first)
        return
    changes = [_Change(first.start, _START, first, reads=False)] if first.start is not None else []
    yield from _history(plan, [first], changes)


def _momentless(plan: Plan, row: Row) -> Refusal:
    return Refusal(row.number, plan.mapping.moments.start, "is empty: the case has no moment at all")


def _history(plan: Plan, rows: list[Row], changes: list[_Change]) -> Iterator[Event | Refusal]:
    """Play the changes of one case in order, the end among them."""
    end = next((r.end for r in rows if r.end is not None), None)
    if end is not None:
        changes.append(_Change(end, _END, rows[-1], reads=False))
    changes.sort(key=lambda c: (c.moment, c.order))
    state = _State(plan, rows)
    version = -1
    for change in changes:
        state.apply(change)
        version = max(epoch_us(change.moment), version + 1)
        yield _event(plan, change.row, change.moment, version, state.values(change.moment))


def _full(plan: Plan, rows: list[Row]) -> Iterator[Event | Refusal]:
    version = -1
    for row in sorted(rows, key=_stated_version):
        stated = _stated_version(row)
        version = max(stated, version + 1)
        moment = row.moment if row.moment is not None else _EPOCH + timedelta(microseconds=stated)
        yield _event(plan, row, moment, version, _row_values(plan, row))


def _row_values(plan: Plan, row: Row) -> dict[str, Any]:
    """Return the values of a row that is a full state; of several sources the first that has a value."""
    values: dict[str, Any] = {}
    for source, value in zip(plan.sources, row.values, strict=True):
        if values.get(source.field.name) is None:
            values[source.field.name] = value
    return values


class _State:
    """What is known of one case while its changes are played."""

    def __init__(self, plan: Plan, rows: list[Row]) -> None:
        self._plan = plan
        self._attributes = [
            next((r.values[i] for r in rows if r.values[i] is not None), None) for i in range(len(plan.sources))
        ]
        self._latest: list[Any] = [None] * len(plan.sources)
        self._moments: dict[str, datetime] = {}
        self._seen_row = False
        self._set_status: str | None = None

    def apply(self, change: _Change) -> None:
        if change.order == _START:
            self._moments["start"] = change.moment
        if change.order == _END:
            self._moments["end"] = change.moment
        if change.order == _ROW:
            self._seen_row = True
        if change.reads:
            self._take(change.row)

    def _take(self, row: Row) -> None:
        for i, value in enumerate(row.values):
            if value is not None:
                self._latest[i] = value
        self._set_status = row.status or self._set_status

    def values(self, moment: datetime) -> dict[str, Any]:
        """Return what was known at ``moment``, by field; of several sources the first that has a value."""
        found: dict[str, Any] = {"status": self._status()}
        for i, source in enumerate(self._plan.sources):
            name = source.field.name
            if found.get(name) is not None:
                continue
            value = self._known(i, source.known)
            if name in self._plan.facts and value is not None and value > moment:
                value = None
            found[name] = value
        return found

    def _known(self, i: int, known: str) -> Any:
        match known:
            case "row":
                return self._latest[i]
            case "case":
                return self._attributes[i]
            case _ if self._plan.sources[i].is_moment:
                return self._moments.get(known)
            case _:
                return self._attributes[i] if known in self._moments else None

    def _status(self) -> str | None:
        status = self._plan.mapping.status
        if status is None:
            return None
        if "end" in self._moments:
            return status.end
        if self._set_status is not None:
            return self._set_status
        return status.row if self._seen_row and status.row is not None else status.start


def _event(plan: Plan, row: Row, moment: datetime, version: int, values: dict[str, Any]) -> Event | Refusal:
    for name in plan.required:
        if values.get(name) is None:
            text = f"{name} is not known: no row that was taken so far tells it, and a {plan.kind.key} needs it"
            return Refusal(row.number, plan.column_of(name), text)
    needed = plan.kind.needs.get(values["status"])
    if needed is not None and values.get(needed) is None:
        text = f"status {values['status']} needs {needed}, which is not known at {moment.isoformat()}"
        return Refusal(row.number, plan.column_of(needed), text)
    return plan.kind.event(
        specversion="1.0",
        source=plan.mapping.source,
        id=f"{row.subject}/{version}",
        subject=row.subject,
        time=moment,
        version=version,
        data=plan.kind.snapshot(**values),
    )


def _row_moment(row: Row) -> datetime:
    if row.moment is None:
        raise ValueError("a row of a log always has a moment: Plan.read refuses it otherwise")
    return row.moment


def _stated_version(row: Row) -> int:
    return row.version if row.version is not None else epoch_us(_row_moment(row))
