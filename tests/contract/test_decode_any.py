"""Events of whatever kind, events made in Python, and where a refusal says that the fault lies."""

import json
from typing import Any

import msgspec
import pytest

from contract import decode as decoding
from contract.decode import EventError, Horizon, checked, decode, decode_any, encoded
from contract.dossier import DOSSIER, Dossier, DossierEvent
from contract.fields import MAX_EVENT_BYTES
from contract.kind import Kind
from contract.registry import KINDS

WALL_US = 1_770_000_000_000_000
HORIZON = Horizon(WALL_US)
TREES: dict[str, dict[str, Any]] = {
    "dossier": {"unit": "H19.01", "channel": "online", "status": "processing"},
    "payment": {"unit": "H19.01", "status": "due", "amount_vnd": 0},
    "meeting": {"unit": "H19.01", "status": "draft", "starts_at": "2026-02-01T08:00:00+07:00"},
    "document": {"unit": "H19.01", "status": "draft"},
}


def tree(kind: Kind = DOSSIER, **changes: Any) -> dict[str, Any]:
    """An event as a JSON tree; what is given replaces or adds, None takes away."""
    made: dict[str, Any] = {
        "type": kind.type,
        "specversion": "1.0",
        "source": "test",
        "id": "1",
        "subject": "s",
        "time": "2026-02-01T09:15:03.120+07:00",
        "version": WALL_US,
        "data": TREES[kind.key],
        **changes,
    }
    return {name: value for name, value in made.items() if value is not None}


def made(**changes: Any) -> DossierEvent:
    """An event made in Python."""
    event = msgspec.convert(tree(), DossierEvent, strict=False)
    return msgspec.structs.replace(event, **changes)


def data(**changes: Any) -> Dossier:
    """A snapshot made in Python."""
    return msgspec.structs.replace(made().data, **changes)


@pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.key)
def test_the_type_tells_the_kind(kind: Kind) -> None:
    """Each kind is found by its type, and read as by itself."""
    value = json.dumps(tree(kind)).encode()

    rv = decode_any(value, HORIZON)

    assert rv == (kind, decode(kind, value, HORIZON))


KNOWN = "nhip.dossier.v1, nhip.payment.v1, nhip.meeting.v1, nhip.document.v1"
NO_JSON = "the value is not JSON: "


@pytest.mark.parametrize(
    ("value", "reason", "text", "path"),
    [
        (b"", "not_json", f"{NO_JSON}Input data was truncated", None),
        (b"\xff", "not_json", f"{NO_JSON}JSON is malformed: invalid character (byte 0)", None),
        (
            b'{"type":"\xff"}',
            "not_json",
            f"{NO_JSON}'utf-8' codec can't decode byte 0xff in position 0: invalid start byte",
            None,
        ),
        (
            b'{"type":"a","x":' + b"[" * 5_000,
            "not_json",
            f"{NO_JSON}maximum recursion depth exceeded while deserializing an object",
            None,
        ),
        (b"[]", "invalid", "Expected `object`, got `array`", "$"),
        (b"{}", "invalid", "Object missing required field `type`", "$.type"),
        (b'{"type":1}', "invalid", "Expected `str`, got `int` - at `$.type`", "$.type"),
        (b'{"type":"a"}', "invalid", f"unknown type 'a'; known: {KNOWN} - at `$.type`", "$.type"),
        (
            b'{"type":"' + b"x" * 70 + b'"}',
            "invalid",
            f"unknown type '{'x' * 64}'; known: {KNOWN} - at `$.type`",
            "$.type",
        ),
        (
            b" " * (MAX_EVENT_BYTES + 1),
            "too_large",
            f"the value has {MAX_EVENT_BYTES + 1} bytes; at most {MAX_EVENT_BYTES} are read",
            None,
        ),
    ],
    ids=range(10),
)
def test_what_has_no_known_type_is_refused(value: bytes, reason: str, text: str, path: str | None) -> None:
    """The reason, the whole sentence and the place are told."""
    with pytest.raises(EventError) as caught:
        decode_any(value, HORIZON)

    assert (caught.value.reason, str(caught.value), caught.value.path) == (reason, text, path)


def test_the_largest_record_is_read_whatever_its_kind() -> None:
    """The limit itself is allowed."""
    value = json.dumps(tree()).encode().ljust(MAX_EVENT_BYTES)

    kind, event = decode_any(value, HORIZON)

    assert (kind, event.subject) == (DOSSIER, "s")


@pytest.mark.parametrize(
    ("changes", "reason", "text", "path"),
    [
        ({"subject": None}, "invalid", "Object missing required field `subject`", "$.subject"),
        ({"extra": 1}, "invalid", "Object contains unknown field `extra`", "$.extra"),
        (
            {"data": {"unit": "u", "status": "processing"}},
            "invalid",
            "Object missing required field `channel` - at `$.data`",
            "$.data.channel",
        ),
        (
            {"data": TREES["dossier"] | {"name": "x"}},
            "invalid",
            "Object contains unknown field `name` - at `$.data`",
            "$.data.name",
        ),
        ({"type": None}, "invalid", "Object missing required field `type` - at `$.type`", "$.type"),
        (
            {"version": WALL_US + 86_400_000_001},
            "future",
            "version lies more than a day ahead of the clock - at `$.version`",
            "$.version",
        ),
        (
            {"time": "2027-01-01T00:00:00+07:00"},
            "future",
            "the time lies more than a day ahead of the clock - at `$.time`",
            "$.time",
        ),
        (
            {"time": "1970-01-01T00:00:00+07:00"},
            "invalid",
            "a time must lie in the years 1971 to 2199 - at `$.time`",
            "$.time",
        ),
        (
            {"data": TREES["dossier"] | {"due_at": "2200-01-01T00:00:00+07:00"}},
            "invalid",
            "a time must lie in the years 1971 to 2199 - at `$.data.due_at`",
            "$.data.due_at",
        ),
        (
            {"data": TREES["dossier"] | {"status": "completed"}},
            "invalid",
            "status completed needs finished_at - at `$.data.finished_at`",
            "$.data.finished_at",
        ),
        (
            {"source": "x@example.org"},
            "personal",
            "the text looks like an e-mail address: send a code - at `$.source`",
            "$.source",
        ),
        (
            {"subject": "x@example.org"},
            "personal",
            "the text looks like an e-mail address: send a code - at `$.subject`",
            "$.subject",
        ),
        (
            {"data": TREES["dossier"] | {"field": "x@example.org"}},
            "personal",
            "the text looks like an e-mail address: send a code - at `$.data.field`",
            "$.data.field",
        ),
    ],
    ids=range(13),
)
def test_a_refusal_says_what_is_wrong_where(changes: dict[str, Any], reason: str, text: str, path: str) -> None:
    """A field that is missing or unknown is named, too, where the decoder names its object only."""
    value = json.dumps(tree(**changes)).encode()

    with pytest.raises(EventError) as caught:
        decode(DOSSIER, value, HORIZON)

    assert (caught.value.reason, str(caught.value), caught.value.path) == (reason, text, path)


def test_a_record_without_value_has_no_place() -> None:
    """The record as a whole is wrong."""
    with pytest.raises(EventError) as caught:
        decode(DOSSIER, None, HORIZON)

    assert (caught.value.reason, str(caught.value), caught.value.path) == ("empty", "the record has no value", None)


@pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.key)
def test_a_reader_made_anew_judges_alike(kind: Kind) -> None:
    """What decoding needs is looked up once a kind; looked up again, the first late fact and plan are still found."""
    decoding._reader.cache_clear()
    for each in KINDS:
        decoding._reader(each)
    refused = []

    for name in kind.times():
        late = {**tree(kind), "data": TREES[kind.key] | {name: "2200-01-01T00:00:00+07:00"}}
        with pytest.raises(EventError) as caught:
            decode(kind, json.dumps(late).encode(), HORIZON)
        refused.append((caught.value.path, caught.value.reason))

    assert refused == [(f"$.data.{name}", "future" if name in kind.facts else "invalid") for name in kind.times()]


def test_an_event_made_in_python_is_read_back() -> None:
    """Its kind, itself as readers see it and its bytes."""
    event = made()

    kind, read, value = checked(event, HORIZON)

    assert (kind, read) == (DOSSIER, event)
    assert decode(DOSSIER, value, HORIZON) == event
    assert encoded(event) == (DOSSIER, value)


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (made(subject="\ud800"), "can't encode character .* - at `\\$\\.subject`$"),
        (made(data=data(field="\ud800")), "can't encode character .* - at `\\$\\.data\\.field`$"),
        (made(subject="\ud800", data=data(unit=object())), "`\\$\\.data\\.unit`$"),
        (made(version=object()), "^Encoding objects of type object is unsupported - at `\\$\\.version`$"),
        (made(data=object()), "^Encoding objects of type object is unsupported - at `\\$\\.data`$"),
        (object(), "^object is no event of a known kind - at `\\$\\.type`$"),
        (data(), "^Dossier is no event of a known kind - at `\\$\\.type`$"),
        (made(version=2**63), "9223372036854775807 - at `\\$\\.version`$"),
    ],
    ids=range(8),
)
def test_what_python_lets_through_is_refused_with_its_place(event: Any, text: str) -> None:
    """A struct is not checked when it is made: what no JSON can hold, or no reader takes, is found here."""
    with pytest.raises(EventError, match=text) as caught:
        checked(event, HORIZON)

    assert caught.value.reason == "invalid"


def test_an_event_that_holds_itself_is_refused() -> None:
    """Nesting without end is no crash."""
    within: list[Any] = []
    within.append(within)

    with pytest.raises(EventError, match=r"recursion.* - at `\$\.subject`"):
        checked(made(subject=within), HORIZON)
