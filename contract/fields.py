"""The field types of all snapshots with their limits, so that every limit is written once."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta

__all__ = [
    "EARLIEST_YEAR",
    "LATEST_YEAR",
    "MAX_EVENT_BYTES",
    "Amount",
    "Code",
    "Count",
    "EntityCode",
    "EventId",
    "Instant",
    "Name",
    "Seconds",
    "Source",
    "Subject",
    "Version",
    "about",
]

MAX_EVENT_BYTES = 65_536
"""The largest record value that is read, in bytes; an ordinary event has about 500."""

EARLIEST_YEAR, LATEST_YEAR = 1971, 2199
"""The years, in a time's own offset, that the store's DateTime64(6) holds exactly and after 1970."""

Instant = Annotated[datetime, Meta(tz=True, description="RFC 3339 date and time with an offset")]
Subject = Annotated[str, Meta(min_length=1, max_length=64, description="code of the entity; the Kafka key")]
EventId = Annotated[str, Meta(min_length=1, max_length=128, description="unique within its source")]
Source = Annotated[str, Meta(min_length=1, max_length=128, description="system that sends, e.g. onestop/H19.12")]
Version = Annotated[int, Meta(ge=0, le=2**63 - 1, description="µs since 1970 of the change in the source")]
Code = Annotated[str, Meta(min_length=1, max_length=64, description="code of a unit or procedure")]
EntityCode = Annotated[
    str, Meta(min_length=1, max_length=64, description="code of another entity", extra={"distinct": "many"})
]
"""Of these there are as many as entities; of a :data:`Code` some thousands. The store packs the latter."""
Name = Annotated[str, Meta(min_length=1, max_length=64, description="short key, e.g. land")]
Count = Annotated[int, Meta(ge=0, le=1_000_000)]
Seconds = Annotated[int, Meta(ge=0, le=10_000_000_000, description="a duration in seconds")]
Amount = Annotated[int, Meta(ge=0, le=10**15, description="Vietnamese đồng")]


def about(text: str) -> Meta:
    """Say in a few words what a field means, e.g. "When it was paid"; a second part of ``Annotated``.

    They stand in the JSON Schema, in the docs and beside the column of the store.
    """
    return Meta(description=text)
