"""Marks: where one entity counts, and whether it counts for the good."""

from datetime import datetime
from typing import NamedTuple

import msgspec

__all__ = ["Mark", "Snapshot", "epoch_us", "instant_mark"]


class Snapshot(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """Base of every kind's snapshot: the full known state of one entity. Every kind has a competent unit."""


class Mark(NamedTuple):
    """One count of one entity for one indicator.

    ``at_s``: event time where it counts, whole seconds since 1970 (UTC), rounded down;
    ``good``: whether it counts for the numerator too.
    """

    at_s: int
    good: bool


def epoch_us(moment: datetime) -> int:
    """Microseconds since 1970 (UTC) of an aware time, exact."""
    # Through whole seconds: timestamp() of a distant year has no room for single microseconds.
    return int(moment.replace(microsecond=0).timestamp()) * 1_000_000 + moment.microsecond


def instant_mark(moment: datetime, *, good: bool) -> Mark:
    """Return the mark at an aware time."""
    return Mark(int(moment.timestamp() // 1), good)
