"""The verdict on each record of a request: accepted as readers will accept it, or refused with a reason. Pure."""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import msgspec

from contract.decode import EventError, Horizon, decode_any
from contract.personal import mask
from producers.intake.grants import Grant
from producers.spool import Record

__all__ = ["Result", "Verdicts", "judge"]

LONGEST_ID = 128


class Result(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of one event, in the order sent.

    ``id``: the event's, masked where it looks personal, null when it cannot be read; ``reason``: a stable key, as of dead letters, or
    ``source``, ``kind`` or ``unit`` for what the token does not permit; ``path``: the wrong field; ``error``: a
    sentence.
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
    for value in values:
        try:
            kind, event = decode_any(value, horizon)
            grant.check(kind, event)
        except EventError as error:
            results.append(Result(_id(value), "refused", error.path, error.reason, str(error)))
            continue
        accepted.append(Record(kind.topic, event.subject.encode(), value))
        results.append(Result(event.id, "accepted"))
    return Verdicts(results, accepted)


def _id(value: bytes) -> str | None:
    try:
        found = _named(value).id
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return mask(found)[:LONGEST_ID] if isinstance(found, str) else None
