"""From the bytes of one record to a checked event, or a reason why not."""

import json
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from operator import attrgetter
from typing import Any

import msgspec

from contract.fields import EARLIEST_YEAR, LATEST_YEAR, MAX_EVENT_BYTES
from contract.kind import Event, Kind
from contract.marks import EPOCH
from contract.personal import find_personal, mask, surely_codes
from contract.registry import KIND_OF_EVENT, KINDS

__all__ = [
    "ENVELOPE_TEXTS",
    "FUTURE_LIMIT_US",
    "EventError",
    "Horizon",
    "checked",
    "decode",
    "decode_any",
    "encoded",
]

FUTURE_LIMIT_US = 86_400_000_000
"""How far a fact or a version may lie ahead of the wall clock, in microseconds: one day."""


ENVELOPE_TEXTS = ("source", "id", "subject")
"""Fields of the envelope that hold free text; a kind's own are ``Kind.texts``."""


class EventError(ValueError):
    """One record cannot be counted. ``reason`` is a stable key to group by; the text says where and why.

    What looks personal in the text is masked: errors travel further than records.
    """

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(mask(text))
        self.reason = reason

    @property
    def path(self) -> str | None:
        """JSON path of the wrong field, such as ``$.data.unit``; None when the record as a whole is wrong."""
        text = str(self)
        found = _PATH(text)
        if found is None and self.reason != "invalid":
            return None
        # A field that is missing or unknown is named beside the object that it belongs to; the outermost
        # object is not named at all.
        place, field = found[1] if found else "$", _FIELD(text)
        return place if field is None or place.endswith(f".{field[1]}") else f"{place}.{field[1]}"


class Horizon:
    """The latest moment that a fact or a version may claim: a day after the wall clock (µs since 1970)."""

    def __init__(self, wall_us: int) -> None:
        self.wall_us = wall_us
        self.limit_us = wall_us + FUTURE_LIMIT_US
        self.limit = EPOCH + timedelta(microseconds=self.limit_us)


@dataclass(frozen=True, slots=True)
class _Reader:
    """What decoding one kind needs, looked up once."""

    decode: Callable[[bytes], Any]
    needs: dict[str, str]
    fact_names: tuple[str, ...]
    plan_names: tuple[str, ...]
    facts: Callable[[Any], tuple[datetime | None, ...]]
    plans: Callable[[Any], tuple[datetime | None, ...]]
    texts: tuple[str, ...]
    texts_of: Callable[[Any], tuple[Any, ...]]


def decode(kind: Kind, value: bytes | None, horizon: Horizon) -> Event:
    """Read one record's value.

    Text is NFC-normalised, unknown fields are refused, times carry an offset and lie in the years that the
    store holds, a status has the field it needs to be counted, and nothing claims to come from beyond the
    horizon: one event of 2099 must not empty every window. Nor does a free text look like a person's number,
    phone, e-mail or account. Raises EventError.
    """
    if value is None:
        raise EventError("empty", "the record has no value")
    if len(value) > MAX_EVENT_BYTES:
        raise EventError("too_large", f"the value has {len(value)} bytes; at most {MAX_EVENT_BYTES} are read")
    # Only text outside ASCII can need normalising. Looking for one byte takes a twentieth of looking for two.
    if not value.isascii() or (b"\\" in value and b"\\u" in value):
        value = _normalised(value)
    reader = _reader(kind)
    try:
        event = reader.decode(value)
    except msgspec.ValidationError as error:
        raise EventError("invalid", str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise EventError("not_json", f"the value is not JSON: {error}") from None
    if not _HAS_TYPE(value):
        raise EventError("invalid", "Object missing required field `type` - at `$.type`")
    needed = reader.needs.get(event.data.status)
    if needed is not None and getattr(event.data, needed) is None:
        raise EventError("invalid", f"status {event.data.status} needs {needed} - at `$.data.{needed}`")
    _check_times(reader, event, horizon)
    _check_texts(reader, event)
    return event  # type: ignore[no-any-return]


def decode_any(value: bytes, horizon: Horizon) -> tuple[Kind, Event]:
    """Read a record of whatever kind its ``type`` names, by the same rules. Raises EventError."""
    if len(value) > MAX_EVENT_BYTES:
        return KINDS[0], decode(KINDS[0], value, horizon)
    try:
        found = _typed(value).type
    except msgspec.ValidationError as error:
        raise EventError("invalid", str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise EventError("not_json", f"the value is not JSON: {error}") from None
    kind = _KIND_OF_TYPE.get(found)
    if kind is None:
        known = ", ".join(_KIND_OF_TYPE)
        raise EventError("invalid", f"unknown type {found[:64]!r}; known: {known} - at `$.type`")
    return kind, decode(kind, value, horizon)


def checked(event: Event, horizon: Horizon) -> tuple[Kind, Event, bytes]:
    """Return the kind of an event made in Python, the event as readers see it, and its bytes.

    Structs are not checked when they are made: the bytes are read back by the rules that the stream has.
    Raises EventError.
    """
    kind, value = encoded(event)
    return kind, decode(kind, value, horizon), value


def encoded(event: Event) -> tuple[Kind, bytes]:
    """Return the kind and the bytes of an event made in Python, unchecked. Raises EventError."""
    kind = KIND_OF_EVENT.get(type(event))
    if kind is None:
        raise EventError("invalid", f"{type(event).__name__} is no event of a known kind - at `$.type`")
    try:
        return kind, _encode(event)
    except (TypeError, ValueError, msgspec.MsgspecError, RecursionError) as error:
        raise EventError("invalid", f"{error} - at `{_unencodable(event)}`") from None


def _unencodable(event: Event) -> str:
    """Path of the first field that no JSON can hold."""
    for path, struct in (("$.data", event.data), ("$", event)):
        for name in getattr(struct, "__struct_fields__", ()):
            try:
                _encode(getattr(struct, name))
            except (TypeError, ValueError, msgspec.MsgspecError, RecursionError):
                return f"{path}.{name}"
    return "$"


def _check_times(reader: _Reader, event: Any, horizon: Horizon) -> None:
    limit, data = horizon.limit, event.data
    if event.version > horizon.limit_us:
        raise EventError("future", "version lies more than a day ahead of the clock - at `$.version`")
    if event.time > limit or event.time.year < EARLIEST_YEAR:
        raise _time_error("$.time", event.time, limit)
    for number, moment in enumerate(reader.facts(data)):
        if moment is not None and (moment > limit or moment.year < EARLIEST_YEAR):
            raise _time_error(f"$.data.{reader.fact_names[number]}", moment, limit)
    for number, moment in enumerate(reader.plans(data)):
        if moment is not None and not EARLIEST_YEAR <= moment.year <= LATEST_YEAR:
            raise _time_error(f"$.data.{reader.plan_names[number]}", moment, None)


def _check_texts(reader: _Reader, event: Any) -> None:
    # All texts at once: 1 µs where one by one takes 12.
    texts = [event.source, event.id, event.subject, *reader.texts_of(event.data)]
    if surely_codes("\n".join(filter(None, texts))):
        return
    for place, struct, names in (("$", event, ENVELOPE_TEXTS), ("$.data", event.data, reader.texts)):
        for name in names:
            text = getattr(struct, name)
            if text is not None and (what := find_personal(text)) is not None:
                raise EventError("personal", f"the text looks like {what}: send a code - at `{place}.{name}`")


def _time_error(path: str, moment: datetime, limit: datetime | None) -> EventError:
    if limit is not None and moment > limit:
        return EventError("future", f"the time lies more than a day ahead of the clock - at `{path}`")
    years = f"{EARLIEST_YEAR} to {LATEST_YEAR}"
    return EventError("invalid", f"a time must lie in the years {years} - at `{path}`")


def _tuple_getter(names: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    """Read several attributes in one call; attrgetter gives no tuple for a single name."""
    if len(names) > 1:
        return attrgetter(*names)
    only = attrgetter(names[0]) if names else None
    return (lambda data: (only(data),)) if only else (lambda _: ())


@cache
def _reader(kind: Kind) -> _Reader:
    plans = tuple(name for name in kind.times() if name not in kind.facts)
    decoder = msgspec.json.Decoder(kind.event)
    return _Reader(
        decoder.decode,
        kind.needs,
        kind.facts,
        plans,
        _tuple_getter(kind.facts),
        _tuple_getter(plans),
        kind.texts(),
        _tuple_getter(kind.texts()),
    )


# A decoder of one struct takes it without its tag, the CloudEvents type. No other place can hold these bytes:
# data has no field of that name, and a quotation mark inside text has a backslash before it.
_HAS_TYPE = re.compile(rb'"type"\s*:').search


# When this is imported, not when the first event comes: of two threads that build the decoder of one struct at the
# same moment, msgspec 0.22 lets one use what the other has half finished, and the process dies (tests/faults).
for _kind in KINDS:
    _reader(_kind)


class _Typed(msgspec.Struct):
    type: str


_typed = msgspec.json.Decoder(_Typed).decode
_encode = msgspec.json.Encoder().encode
_KIND_OF_TYPE = {k.type: k for k in KINDS}
_PATH = re.compile(r" - at `([^`]*)`$").search
_FIELD = re.compile(r"^Object (?:missing required|contains unknown) field `(.*?)`").search


def _normalised(value: bytes) -> bytes:
    try:
        tree = json.loads(value)
        return json.dumps(_nfc(tree), ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise EventError("not_json", f"the value is not JSON: {error}") from None


def _nfc(node: Any) -> Any:
    if isinstance(node, str):
        return unicodedata.normalize("NFC", node)
    if isinstance(node, dict):
        return {_nfc(k): _nfc(v) for k, v in node.items()}
    if isinstance(node, list):
        return [_nfc(v) for v in node]
    return node
