"""Decoding: what is read, what is refused, with which reason and at which path."""

import json
import subprocess
import sys
import unicodedata
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.decode import FUTURE_LIMIT_US, EventError, Horizon, decode
from contract.document import DOCUMENT
from contract.dossier import DOSSIER
from contract.fields import EARLIEST_YEAR, LATEST_YEAR, MAX_EVENT_BYTES
from contract.kind import Kind
from contract.meeting import MEETING
from contract.payment import PAYMENT
from contract.registry import KINDS

WALL_US = 1_770_000_000_000_000
HORIZON = Horizon(WALL_US)
DATA: dict[str, dict[str, Any]] = {
    "dossier": {"unit": "H19.01", "channel": "online", "status": "processing"},
    "payment": {"unit": "H19.01", "status": "due", "amount_vnd": 0},
    "meeting": {"unit": "H19.01", "status": "draft", "starts_at": "2026-02-01T08:00:00+07:00"},
    "document": {"unit": "H19.01", "status": "draft"},
}


def tree(kind: Kind = DOSSIER, *, data: dict[str, Any] | None = None, **envelope: Any) -> dict[str, Any]:
    """An event as a JSON tree; what is given replaces or adds."""
    made: dict[str, Any] = {
        "specversion": "1.0",
        "type": kind.type,
        "source": "test",
        "id": "1",
        "subject": "s",
        "time": "2026-02-01T09:15:03.120+07:00",
        "version": WALL_US,
    }
    return {**made, **envelope, "data": {**DATA[kind.key], **(data or {})}}


def encoded(kind: Kind = DOSSIER, *, data: dict[str, Any] | None = None, **envelope: Any) -> bytes:
    """The bytes of an event; text outside ASCII stays as it is."""
    return json.dumps(tree(kind, data=data, **envelope), ensure_ascii=False).encode()


def refusal(value: bytes | None, kind: Kind = DOSSIER) -> EventError:
    """The error with which a value is refused."""
    with pytest.raises(EventError) as caught:
        decode(kind, value, HORIZON)
    return caught.value


def iso(us: int) -> str:
    """RFC 3339 text of microseconds since 1970."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)).isoformat()


@pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.key)
def test_a_minimal_event_of_each_kind_is_read(kind: Kind) -> None:
    """Only the required fields are needed."""
    value = encoded(kind)

    event = decode(kind, value, HORIZON)

    assert (event.subject, event.version) == ("s", WALL_US)
    assert isinstance(event, kind.event)


@pytest.mark.parametrize(
    ("value", "reason", "text"),
    [
        pytest.param(None, "empty", "no value", id="no value"),
        pytest.param(b"", "not_json", "", id="nothing"),
        pytest.param(b"{", "not_json", "", id="cut off"),
        pytest.param(b"\xff\xfe", "not_json", "", id="not UTF-8"),
        pytest.param(b'{"subject": "\\ud8', "not_json", "", id="cut off within an escape"),
        pytest.param(b"[" * 5000 + "ấ".encode(), "not_json", "", id="nested without end"),
        pytest.param(b"[]", "invalid", "Expected `object`", id="no object"),
        pytest.param(b"x" * (MAX_EVENT_BYTES + 1), "too_large", f"at most {MAX_EVENT_BYTES}", id="too large"),
    ],
)
def test_what_is_no_event_is_refused(value: bytes | None, reason: str, text: str) -> None:
    """Bytes that are not one JSON object of bounded size have a reason of their own."""
    error = refusal(value)

    assert error.reason == reason
    assert text in str(error)


def test_a_value_of_the_largest_size_is_read() -> None:
    """The limit itself is allowed."""
    value = encoded()
    value += b" " * (MAX_EVENT_BYTES - len(value))

    event = decode(DOSSIER, value, HORIZON)

    assert event.subject == "s"


@pytest.mark.parametrize(
    ("envelope", "data", "path"),
    [
        pytest.param({"extra": 1}, {}, "extra", id="unknown field of the envelope"),
        pytest.param({}, {"applicant": "x"}, "applicant", id="unknown field of the data"),
        pytest.param({"type": "nhip.payment.v1"}, {}, "$.type", id="another type"),
        pytest.param({"specversion": "0.3"}, {}, "$.specversion", id="another CloudEvents"),
        pytest.param({"time": "2026-02-01T09:15:03"}, {}, "$.time", id="time without offset"),
        pytest.param({}, {"due_at": "2026-02-01T09:15:03"}, "$.data.due_at", id="plan without offset"),
        pytest.param({}, {"received_at": "01/02/2026"}, "$.data.received_at", id="no date"),
        pytest.param({}, {"status": "done"}, "$.data.status", id="unknown status"),
        pytest.param({}, {"channel": None}, "$.data.channel", id="null where required"),
        pytest.param({"version": "1"}, {}, "$.version", id="text for a number"),
        pytest.param({"version": -1}, {}, "$.version", id="negative version"),
        pytest.param({"version": 2**63}, {}, "$.version", id="version beyond the store"),
        pytest.param({"subject": ""}, {}, "$.subject", id="empty subject"),
    ],
)
def test_an_invalid_event_says_where(envelope: dict[str, Any], data: dict[str, Any], path: str) -> None:
    """The text names the path of what is wrong."""
    error = refusal(encoded(data=data, **envelope))

    assert error.reason == "invalid"
    assert path in str(error)


@pytest.mark.parametrize("name", ["specversion", "type", "source", "id", "subject", "time", "version", "data"])
def test_every_field_of_the_envelope_is_required(name: str) -> None:
    """An event without it is invalid, and its name is told."""
    made = tree()
    del made[name]

    error = refusal(json.dumps(made).encode())

    assert error.reason == "invalid"
    assert name in str(error)


TEXT_LIMITS = [
    ("subject", DOSSIER, 64),
    ("id", DOSSIER, 128),
    ("source", DOSSIER, 128),
    ("data.unit", DOSSIER, 64),
    ("data.receiving_unit", DOSSIER, 64),
    ("data.procedure", DOSSIER, 64),
    ("data.field", DOSSIER, 64),
    ("data.dossier", PAYMENT, 64),
    ("data.dossier", DOCUMENT, 64),
]
NUMBER_LIMITS = [
    ("supplements", DOSSIER, 10**6),
    ("components", DOSSIER, 10**6),
    ("components_digitised", DOSSIER, 10**6),
    ("components_reused", DOSSIER, 10**6),
    ("paused_s", DOSSIER, 10**10),
    ("fee_vnd", DOSSIER, 10**15),
    ("amount_vnd", PAYMENT, 10**15),
    ("participants", MEETING, 10**6),
    ("attended", MEETING, 10**6),
    ("documents", MEETING, 10**6),
    ("documents_printed", MEETING, 10**6),
    ("signatures", DOCUMENT, 10**6),
    ("pages", DOCUMENT, 10**6),
]


def with_field(kind: Kind, path: str, value: Any) -> bytes:
    """An event whose field at ``name`` or ``data.name`` is given."""
    room, _, name = path.rpartition(".")
    return encoded(kind, data={name: value}) if room else encoded(kind, **{name: value})


@pytest.mark.parametrize(("path", "kind", "most"), TEXT_LIMITS)
def test_texts_have_at_least_one_and_at_most_so_many_letters(path: str, kind: Kind, most: int) -> None:
    """Length is counted in letters, not bytes; the limit is allowed, one more and none are not."""
    decode(kind, with_field(kind, path, "ế" * most), HORIZON)

    too_long, empty = (refusal(with_field(kind, path, text), kind) for text in ("ế" * (most + 1), ""))

    assert (too_long.reason, empty.reason) == ("invalid", "invalid")
    assert f"$.{path}" in str(too_long)
    assert f"$.{path}" in str(empty)


@pytest.mark.parametrize(("name", "kind", "most"), NUMBER_LIMITS)
def test_numbers_have_bounds(name: str, kind: Kind, most: int) -> None:
    """0 and the limit are allowed, one less and one more are not."""
    for allowed in (0, most):
        decode(kind, encoded(kind, data={name: allowed}), HORIZON)

    errors = [refusal(encoded(kind, data={name: value}), kind) for value in (-1, most + 1)]

    assert all(e.reason == "invalid" and f"$.data.{name}" in str(e) for e in errors)


@pytest.mark.parametrize(
    ("kind", "status", "field"),
    [(k, status, field) for k in KINDS for status, field in k.needs.items()],
)
def test_a_status_needs_its_fact(kind: Kind, status: str, field: str) -> None:
    """A finished dossier without its time cannot be counted; with it, it can."""
    decode(kind, encoded(kind, data={"status": status, field: iso(WALL_US)}), HORIZON)

    error = refusal(encoded(kind, data={"status": status}), kind)

    assert error.reason == "invalid"
    assert f"status {status} needs {field}" in str(error)


# -- text -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("escaped", [False, True], ids=["UTF-8", "escapes"])
def test_decomposed_vietnamese_is_composed(escaped: bool) -> None:
    """Đất đai means the same however a keyboard wrote it."""
    composed = "Đất đai: hồ sơ ở Huế"
    decomposed = unicodedata.normalize("NFD", composed)
    value = json.dumps(tree(subject=decomposed, data={"field": decomposed}), ensure_ascii=escaped).encode()

    event: Any = decode(DOSSIER, value, HORIZON)

    assert decomposed != composed
    assert (event.subject, event.data.field) == (composed, composed)


def test_length_counts_after_composing() -> None:
    """64 composed letters fit although they came as 192."""
    value = encoded(subject=unicodedata.normalize("NFD", "ế" * 64))

    event = decode(DOSSIER, value, HORIZON)

    assert event.subject == "ế" * 64


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30), st.booleans())
def test_any_text_is_read_as_its_composed_form(text: str, escaped: bool) -> None:
    """Both encodings of any text give the same NFC text."""
    value = json.dumps(tree(source=text), ensure_ascii=escaped).encode()
    expected = unicodedata.normalize("NFC", text)

    event = decode(DOSSIER, value, HORIZON)

    assert event.source == expected


# -- times ----------------------------------------------------------------------------------------------


def test_decoders_are_there_before_threads_ask() -> None:
    """Importing is enough: msgspec 0.22 crashes where two threads make the decoder of one struct at one moment."""
    asked = "import contract.decode as d; print(d._reader.cache_info().currsize == len(d.KINDS))"

    answer = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)

    assert answer.stdout == "True\n"


def test_the_horizon_is_a_day_after_the_clock() -> None:
    """A day in microseconds, as number and as time."""
    rv = Horizon(WALL_US)

    assert rv.limit_us == WALL_US + 86_400_000_000 == WALL_US + FUTURE_LIMIT_US
    assert rv.limit == datetime.fromtimestamp(WALL_US / 1e6, UTC) + timedelta(days=1)


FUTURES = [("version", DOSSIER), ("time", DOSSIER)] + [
    (f"data.{fact}", kind) for kind in KINDS for fact in kind.facts
]


@pytest.mark.parametrize(("path", "kind"), FUTURES)
def test_nothing_that_happened_lies_beyond_the_horizon(path: str, kind: Kind) -> None:
    """Exactly a day ahead is read, a microsecond more is refused with the path."""
    last, beyond = HORIZON.limit_us, HORIZON.limit_us + 1
    moments: list[Any] = [last, beyond] if path == "version" else [iso(last), iso(beyond)]
    decode(kind, with_field(kind, path, moments[0]), HORIZON)

    error = refusal(with_field(kind, path, moments[1]), kind)

    assert error.reason == "future"
    assert f"$.{path}" in str(error)


PLANS = [("due_at", DOSSIER), ("due_at", PAYMENT), ("starts_at", MEETING)]


@pytest.mark.parametrize(("name", "kind"), PLANS)
def test_plans_may_lie_in_the_future_within_the_years_of_the_store(name: str, kind: Kind) -> None:
    """The first and the last year are read, the years beside them are not."""
    for year in (EARLIEST_YEAR, LATEST_YEAR):
        decode(kind, encoded(kind, data={name: f"{year}-06-01T00:00:00+07:00"}), HORIZON)

    errors = [
        refusal(encoded(kind, data={name: f"{year}-06-01T00:00:00+07:00"}), kind)
        for year in (EARLIEST_YEAR - 1, LATEST_YEAR + 1)
    ]

    assert all(e.reason == "invalid" and f"$.data.{name}" in str(e) for e in errors)


@pytest.mark.parametrize("path", ["time", "data.received_at", "data.finished_at"])
def test_facts_before_the_first_year_are_invalid(path: str) -> None:
    """1970 is what a source writes that has lost its date."""
    error = refusal(with_field(DOSSIER, path, f"{EARLIEST_YEAR - 1}-06-01T00:00:00+07:00"))

    assert error.reason == "invalid"
    assert f"$.{path}" in str(error)


@given(st.integers(-12 * 60, 14 * 60), st.integers(0, WALL_US))
def test_offsets_give_the_same_instant(minutes: int, us: int) -> None:
    """The same moment in any offset is the same time, to the microsecond."""
    utc = datetime(1972, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)
    there = utc.astimezone(timezone(timedelta(minutes=minutes)))
    limit = Horizon(WALL_US * 2)

    event = decode(DOSSIER, encoded(time=there.isoformat()), limit)

    assert event.time == utc
