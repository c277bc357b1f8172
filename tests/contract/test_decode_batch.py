"""Decoding together gives what decoding one by one gives, whatever is among the records."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract import decode_batch as batch
from contract.decode import EventError, Horizon, decode, decode_any
from contract.decode_batch import CHUNK, checked_batch, decode_any_batch, decode_batch
from contract.dossier import DOSSIER
from contract.kind import Event, Kind
from contract.registry import KINDS

WALL_US = 1_770_000_000_000_000
HORIZON = Horizon(WALL_US)


def event(**changes: Any) -> dict[str, Any]:
    """An ordinary event as a JSON tree; ``data`` adds to its data."""
    data = {
        "unit": "H19.01",
        "channel": "online",
        "status": "completed",
        "received_at": "2026-02-01T08:00:00+07:00",
        "due_at": "2026-02-05T08:00:00+07:00",
        "finished_at": "2026-02-01T09:00:00+07:00",
        **changes.pop("data", {}),
    }
    made = {
        "type": DOSSIER.type,
        "specversion": "1.0",
        "source": "test",
        "id": "1",
        "subject": "s",
        "time": "2026-02-01T09:15:03.120+07:00",
        "version": WALL_US,
    }
    return {**made, **changes, "data": data}


def encoded(tree: dict[str, Any]) -> bytes:
    """The bytes of an event; text outside ASCII stays as it is."""
    return json.dumps(tree, ensure_ascii=False, separators=(",", ":")).encode()


def alone(value: bytes | None) -> Event | tuple[str, str]:
    """The event, or reason and text of the refusal."""
    try:
        return decode(DOSSIER, value, HORIZON)
    except EventError as error:
        return error.reason, str(error)


ORDINARY = encoded(event())
moments = st.sampled_from(
    [
        "2026-02-01T08:00:00+07:00",
        "2026-02-01T01:00:00Z",
        "1970-12-31T23:00:00-10:00",
        "1971-01-01T00:00:00+14:00",
        "1971-01-01T12:00:00+07:00",
        "2199-12-31T23:00:00+07:00",
        "2200-01-01T00:00:00+14:00",
        "2027-01-01T00:00:00+07:00",
        "2026-02-01T08:00:00",
    ]
)
odd = st.one_of(
    st.none(),
    st.just(b""),
    st.just(b"null"),
    st.just(ORDINARY + b"," + ORDINARY),
    st.just(b"[" + ORDINARY + b"]"),
    st.just(b" " + ORDINARY),
    st.integers(0, len(ORDINARY)).map(lambda n: ORDINARY[:n]),
    st.integers(0, len(ORDINARY)).map(lambda n: ORDINARY[n:]),
    st.builds(lambda n, b: ORDINARY[:n] + bytes([b]) + ORDINARY[n + 1 :], st.integers(0, 400), st.integers(0, 255)),
    moments.map(lambda t: encoded(event(time=t))),
    st.builds(
        lambda name, t: encoded(event(data={name: t})),
        st.sampled_from(["received_at", "due_at", "finished_at", "returned_at", "submitted_at"]),
        st.one_of(st.none(), moments),
    ),
    st.integers(WALL_US, WALL_US + 2 * 86_400_000_000).map(lambda v: encoded(event(version=v))),
    st.text(max_size=70).map(lambda text: encoded(event(subject=text))),
    st.sampled_from(["đất đai", "đất", 'a\\"type":"x', "a\\u0111"]).map(lambda t: encoded(event(data={"field": t}))),
    st.sampled_from(["nhip.meeting.v1", "", "nhip.dossier.v1"]).map(lambda t: encoded({**event(), "type": t})),
    st.just(encoded({k: v for k, v in event().items() if k != "type"})),
    st.just(encoded(event(data={"procedure": "x" * 70_000}))),
)
records = st.lists(st.one_of(st.just(ORDINARY), odd), max_size=12)


@settings(max_examples=4 * settings().max_examples, deadline=None)
@given(records)
def test_each_record_gets_the_answer_it_gets_alone(values: list[bytes | None]) -> None:
    """Events are equal, refusals have the same reason and text, in the order of the records."""
    rv = [(e.reason, str(e)) if isinstance(e, EventError) else e for e in decode_batch(DOSSIER, values, HORIZON)]

    assert rv == [alone(value) for value in values]


def test_two_halves_of_one_record_do_not_hide_behind_a_double_one() -> None:
    """Three records that hold three events only when they are read as one text are three refusals."""
    head, tail = ORDINARY[:100], ORDINARY[100:]
    values = [head, tail, ORDINARY + b"],\n[" + ORDINARY]

    rv = decode_batch(DOSSIER, values, HORIZON)

    assert [isinstance(e, EventError) for e in rv] == [True, True, True]


def test_one_bad_record_costs_its_own_chunk_only() -> None:
    """All other records of a long batch are events, in order."""
    values: list[bytes | None] = [encoded(event(id=str(n))) for n in range(3 * CHUNK)]
    values[CHUNK + 5] = b"{"

    rv = decode_batch(DOSSIER, values, HORIZON)

    assert [n for n, e in enumerate(rv) if isinstance(e, EventError)] == [CHUNK + 5]
    assert [e.id for e in rv if not isinstance(e, EventError)] == [str(n) for n in range(3 * CHUNK) if n != CHUNK + 5]


def any_alone(value: bytes) -> tuple[Kind, Event] | tuple[str, str]:
    """The kind and the event, or reason and text of the refusal."""
    try:
        return decode_any(value, HORIZON)
    except EventError as error:
        return error.reason, str(error)


PAYMENT = (
    b'{"type":"nhip.payment.v1","specversion":"1.0","source":"test","id":"1","subject":"p",'
    b'"time":"2026-02-01T08:00:00+07:00","version":1,"data":{"unit":"u","status":"due","amount_vnd":0}}'
)
named_twice = st.sampled_from([*(kind.type for kind in KINDS), "", "x"]).map(
    lambda t: ORDINARY[:-1] + b',"type":"' + t.encode() + b'"}'
)
of_any_kind = st.one_of(st.just(ORDINARY), odd.filter(lambda v: v is not None), named_twice, st.just(PAYMENT))


@settings(max_examples=2 * settings().max_examples)
@given(st.lists(of_any_kind, max_size=8))
def test_kinds_together_are_read_as_one_by_one(values: list[bytes]) -> None:
    """Whatever kinds are mixed, in whatever order, each record has the answer that it has alone."""
    expected = [any_alone(value) for value in values]

    rv = decode_any_batch(values, HORIZON)

    assert [(r.reason, str(r)) if isinstance(r, EventError) else r for r in rv] == expected


def test_events_made_in_python_are_checked_together() -> None:
    """Kind, event and bytes are told for each, in order; one that is wrong is an error for all."""
    first, second = decode(DOSSIER, ORDINARY, HORIZON), decode(DOSSIER, encoded(event(subject="t")), HORIZON)
    wrong = msgspec.structs.replace(first, subject="")

    rv = checked_batch([first, second], HORIZON)

    assert [(kind, read) for kind, read, _ in rv] == [(DOSSIER, first), (DOSSIER, second)]
    assert [decode(DOSSIER, value, HORIZON) for _, _, value in rv] == [first, second]
    with pytest.raises(EventError, match="subject"):
        checked_batch([first, wrong], HORIZON)


LAST = {"time": "2026-02-03T09:40:00+07:00", "version": WALL_US + 86_400_000_000}
"""A moment before the horizon and the last version allowed."""
TEMPLATES: dict[str, dict[str, Any]] = {
    "dossier": {"unit": "u", "channel": "online", "status": "completed", "finished_at": "1971-01-02T00:00:00+07:00"},
    "payment": {"unit": "u", "status": "due", "amount_vnd": 0, "due_at": "2199-12-30T00:00:00+07:00"},
    "meeting": {"unit": "u", "status": "draft", "starts_at": "2030-02-01T08:00:00+07:00"},
    "document": {"unit": "u", "status": "draft"},
}


def of_kind(kind: Kind, **changes: Any) -> dict[str, Any]:
    """An ordinary event of a kind; ``data`` adds to its data."""
    data = {**TEMPLATES[kind.key], **changes.pop("data", {})}
    return {**event(), "type": kind.type, **LAST, **changes, "data": data}


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> list[bytes | None]:
    """The records that are read one by one; what decoding needs is looked up anew."""
    seen: list[bytes | None] = []
    batch._joint.cache_clear()
    for kind in KINDS:
        batch._joint(kind)

    def noted(kind: Kind, value: bytes | None, horizon: Horizon) -> Event:
        seen.append(value)
        return decode(kind, value, horizon)

    def any_noted(value: bytes, horizon: Horizon) -> tuple[Kind, Event]:
        seen.append(value)
        return decode_any(value, horizon)

    monkeypatch.setattr(batch, "decode", noted)
    monkeypatch.setattr(batch, "decode_any", any_noted)
    return seen


@pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.key)
def test_ordinary_records_are_read_together(kind: Kind, slow: list[bytes | None]) -> None:
    """Records at the bounds are ordinary too: none of them is read by itself."""
    values: list[bytes] = [encoded(of_kind(kind, id=str(n))) for n in range(CHUNK + 1)]

    rv = decode_batch(kind, values, HORIZON)

    assert rv == [decode(kind, value, HORIZON) for value in values]
    assert decode_any_batch(values, HORIZON) == [(kind, e) for e in rv]
    assert slow == []


def test_a_record_out_of_the_ordinary_sends_its_chunk_the_slow_way(slow: list[bytes | None]) -> None:
    """The chunk with it is read one by one, the one after it is not."""
    values: list[bytes | None] = [encoded(of_kind(DOSSIER, id=str(n))) for n in range(CHUNK + 1)]
    values[0] = None

    decode_batch(DOSSIER, values, HORIZON)

    assert slow == values[:CHUNK]


def test_kinds_side_by_side_are_read_together(slow: list[bytes | None]) -> None:
    """Each kind's records by themselves, answers in the order of the records; what has another head, alone."""
    values = [encoded(of_kind(KINDS[n % len(KINDS)], id=str(n))) for n in range(12)]
    strange = b" " + values[0]

    rv = decode_any_batch([*values, strange], HORIZON)

    assert rv == [decode_any(value, HORIZON) for value in [*values, strange]]
    assert slow == [strange]


@pytest.mark.parametrize(
    "changes",
    [
        {"time": "2026-02-03T09:40:00.000001+07:00"},
        {"version": WALL_US + 86_400_000_001},
        {"time": "1971-01-01T23:59:59+07:00"},
        {"data": {"finished_at": "2026-02-03T09:40:00.000001+07:00"}},
        {"data": {"due_at": "2199-12-30T00:00:00.000001+07:00"}},
        {"data": {"finished_at": None}},
        {"subject": "0912000000"},
    ],
    ids=range(7),
)
def test_what_lies_beyond_the_bounds_is_judged_alone(changes: dict[str, Any], slow: list[bytes | None]) -> None:
    """A microsecond beyond a bound, a status without its time, or a number of a person."""
    values: list[bytes | None] = [encoded(of_kind(DOSSIER)), encoded(of_kind(DOSSIER, **changes))]

    decode_batch(DOSSIER, values, HORIZON)

    assert slow == values


@pytest.mark.parametrize("name", ["source", "id", "subject", "data"])
def test_what_looks_personal_is_refused_each_time(name: str) -> None:
    """Texts are remembered as codes only when they are; one that was refused is refused again."""
    text = "x@example.org"
    wrong = encoded(of_kind(DOSSIER, **({"data": {"field": text}} if name == "data" else {name: text})))
    right = encoded(of_kind(DOSSIER))

    rv = [decode_batch(DOSSIER, values, HORIZON)[-1] for values in ([right, wrong], [wrong], [right], [right, wrong])]

    assert [isinstance(e, EventError) and e.reason for e in rv] == ["personal", "personal", False, "personal"]


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A flood of texts never heard before does not fill the memory, and the answers stay right."""
    monkeypatch.setattr(batch, "KNOWN", 5)
    values = [encoded(of_kind(DOSSIER, data={"field": f"f{n}"})) for n in range(40)]
    largest = 0

    for value in values:
        assert decode_batch(DOSSIER, [value], HORIZON) == [decode(DOSSIER, value, HORIZON)]
        largest = max(largest, len(batch._joint(DOSSIER)._known))

    assert largest < 12


def test_nothing_is_nothing() -> None:
    """No records, no answers."""
    assert decode_batch(DOSSIER, [], HORIZON) == []
    assert decode_any_batch([], HORIZON) == []
    assert checked_batch([], HORIZON) == []
