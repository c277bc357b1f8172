"""Marks: where one entity counts, and whether it counts for the good."""

from datetime import datetime

import msgspec

from contract.days import DAY_S

__all__ = ["EPOCH", "Mark", "Snapshot", "epoch_us", "instant_mark"]

EPOCH = msgspec.json.decode(b'"1970-01-01T07:00:00+07:00"', type=datetime)
"""The start of 1970 (UTC), with the very tzinfo object that the decoder gives to times of Viet Nam.

Python compares and subtracts times that share their tzinfo object in 0.03 µs, others in 0.5 µs.
"""


class Snapshot(msgspec.Struct, gc=False, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """Base of every kind's snapshot: the full known state of one entity. Every kind has a competent unit."""


class Mark(msgspec.Struct, gc=False, frozen=True):
    """One count of one entity for one indicator.

    ``at_s``: event time where it counts, whole seconds since 1970 (UTC), rounded down;
    ``good``: whether it counts for the numerator too.
    """

    at_s: int
    good: bool


def epoch_us(moment: datetime) -> int:
    """Microseconds since 1970 (UTC) of an aware time, exact."""
    since = moment - EPOCH
    return (since.days * DAY_S + since.seconds) * 1_000_000 + since.microseconds


def instant_mark(moment: datetime, *, good: bool) -> Mark:
    """Return the mark at an aware time."""
    since = moment - EPOCH
    return Mark(since.days * DAY_S + since.seconds, good)
