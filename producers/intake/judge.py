"""The verdict on each record of a request: accepted as readers will accept it, or refused with a reason. Pure."""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import msgspec

from contract.decode import EventError, Horizon
from contract.decode_batch import decode_any_batch
from contract.kind import Event, Kind
from contract.personal import mask
from producers.intake.grants import Grant
from producers.spool import Record

__all__ = ["Result", "Verdicts", "judge"]

LONGEST_ID = 128


class Result(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of one event, in the order sent.

    ``id``: the event's, masked where it looks personal, null when it cannot be read; ``reason``: a stable key, as
    of dead letters, or ``source``, ``kind`` or ``unit`` for what the token does not permit; ``path``: the wrong
    field; ``error``: a sentence.
    """

    id: str | None
    status: Literal["accepted", "refused"]
    path: str | None = None
    reason: str | None = None
    error: str | None = None


class Verdicts(NamedTuple):
    """Results in the order sent, and the records of those accepted."""

    results: list[Result]
    accepted: list[Record]


class _Named(msgspec.Struct):
    id: Any = None


_named = msgspec.json.Decoder(_Named).decode


def judge(values: Sequence[bytes], grant: Grant, horizon: Horizon) -> Verdicts:
    """Judge each record by the rules of the stream and by what the token permits.

    The bytes sent are those that Kafka gets: an event is read once and never written anew.
    """
    results: list[Result] = []
    accepted: list[Record] = []
    for value, read in zip(values, decode_any_batch(values, horizon), strict=True):
        found = _permitted(read, grant)
        if isinstance(found, EventError):
            results.append(Result(_id(value), "refused", found.path, found.reason, str(found)))
            continue
        kind, event = found
        accepted.append(Record(kind.topic, event.subject.encode(), value))
        results.append(Result(event.id, "accepted"))
    return Verdicts(results, accepted)


def _permitted(read: tuple[Kind, Event] | EventError, grant: Grant) -> tuple[Kind, Event] | EventError:
    if isinstance(read, EventError):
        return read
    try:
        grant.check(*read)
    except EventError as error:
        return error
    return read


def _id(value: bytes) -> str | None:
    try:
        found = _named(value).id
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return mask(found)[:LONGEST_ID] if isinstance(found, str) else None
