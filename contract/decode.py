"""From the bytes of one record to a checked event, or a reason why not."""

import json
import unicodedata
from datetime import UTC, datetime
from typing import Any

import msgspec

from contract.fields import EARLIEST_YEAR, LATEST_YEAR, MAX_EVENT_BYTES
from contract.kind import Event, Kind
from contract.registry import KINDS

__all__ = ["FUTURE_LIMIT_US", "EventError", "Horizon", "check_times", "decode"]

FUTURE_LIMIT_US = 86_400_000_000
"""How far a fact or a version may lie ahead of the wall clock, in microseconds: one day."""

_US_PER_S = 1_000_000
_DECODERS = {k.key: msgspec.json.Decoder(k.event) for k in KINDS}
_YEARS = f"a time must lie in the years {EARLIEST_YEAR} to {LATEST_YEAR}"
_TIMES = {k.key: k.times() for k in KINDS}


class EventError(ValueError):
    """One record cannot be counted. ``reason`` is a stable key to group by; the text says where and why."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


def decode(kind: Kind, value: bytes | None) -> Event:
    """Read one record's value.

    Text is NFC-normalised, unknown fields are refused, times carry an offset and lie between 1970 and
    the end of LATEST_YEAR, and a status has the field it needs to be counted. Raises EventError.
    """
    if value is None:
        raise EventError("empty", "the record has no value")
    if len(value) > MAX_EVENT_BYTES:
        raise EventError("too_large", f"the value has {len(value)} bytes; at most {MAX_EVENT_BYTES} are read")
    # Only text outside ASCII can need normalising; both tests are single passes in C.
    if not value.isascii() or b"\\u" in value:
        value = _normalised(value)
    try:
        event = _DECODERS[kind.key].decode(value)
    except msgspec.ValidationError as error:
        raise EventError("invalid", str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise EventError("not_json", f"the value is not JSON: {error}") from None
    data: Any = event.data
    needed = kind.needs.get(data.status)
    if needed is not None and getattr(data, needed) is None:
        raise EventError("invalid", f"status {data.status} needs {needed} - at `$.data.{needed}`")
    for name in _TIMES[kind.key]:
        moment = getattr(data, name)
        if moment is not None and not EARLIEST_YEAR <= moment.year <= LATEST_YEAR:
            raise EventError("invalid", f"{_YEARS} - at `$.data.{name}`")
    if not EARLIEST_YEAR <= event.time.year <= LATEST_YEAR:
        raise EventError("invalid", f"{_YEARS} - at `$.time`")
    return event


class Horizon:
    """The latest moment that a fact or a version may claim: a day after the wall clock."""

    def __init__(self, wall_us: int) -> None:
        self.wall_us = wall_us
        self.limit_us = wall_us + FUTURE_LIMIT_US
        self.limit = datetime.fromtimestamp(self.limit_us / _US_PER_S, UTC)


def check_times(kind: Kind, event: Event, horizon: Horizon) -> None:
    """Refuse what claims to come from the future: one event of 2099 must not empty every window.

    Raises EventError with the reason ``future``.
    """
    if event.version > horizon.limit_us:
        raise EventError("future", "version lies more than a day ahead of the clock - at `$.version`")
    if event.time > horizon.limit:
        raise EventError("future", "the time lies more than a day ahead of the clock - at `$.time`")
    for name in kind.facts:
        moment = getattr(event.data, name)
        if moment is not None and moment > horizon.limit:
            raise EventError("future", f"a fact lies more than a day ahead of the clock - at `$.data.{name}`")


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
