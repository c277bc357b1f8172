"""Refused records: kept with their bytes and the reason, listed, and marked once they were dealt with."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import pyarrow as pa

from sinks.client import Client
from sinks.columns import INSTANT
from streams.rows import DeadLetter

__all__ = [
    "UNKNOWN_SOURCE",
    "LetterGroup",
    "LetterState",
    "StoredLetter",
    "count_dead_letters",
    "dead_letters",
    "letter_groups",
    "write_dead_letters",
]

LetterState = Literal["refused", "sent_again", "dropped"]


class StoredLetter(NamedTuple):
    """A refused record, what was done with it, and the source it names (``?`` when it cannot be read)."""

    letter: DeadLetter
    state: LetterState
    source: str


class LetterGroup(NamedTuple):
    """Records of one source that wait with one reason; ``newest_us``: when the last of them was refused."""

    reason: str
    source: str
    records: int
    newest_us: int


UNKNOWN_SOURCE = "?"
"""Stands for the source of a record whose bytes do not tell it."""


def write_dead_letters(client: Client, rows: Sequence[DeadLetter], state: LetterState = "refused") -> None:
    """Insert refused records, or note what was done with them.

    A record that is refused once more does not undo what was done with it.
    """
    if not rows:
        return
    client.insert(
        "dead_letters",
        pa.table(
            {
                "topic": pa.array([row.topic for row in rows], pa.string()),
                "partition": pa.array([row.partition for row in rows], pa.uint16()),
                "offset": pa.array([row.offset for row in rows], pa.int64()),
                "reason": pa.array([row.reason for row in rows], pa.string()),
                "error": pa.array([row.error for row in rows], pa.string()),
                "key": pa.array([row.key for row in rows], pa.binary()),
                "value": pa.array([row.value for row in rows], pa.binary()),
                "time": pa.array([row.time_us for row in rows], pa.int64()).cast(INSTANT),
                "state": pa.array([state] * len(rows), pa.string()),
            }
        ),
    )


def count_dead_letters(client: Client) -> int:
    """Return how many records are refused and not dealt with."""
    ((count,),) = client.rows("SELECT count() FROM dead_letters FINAL WHERE state = 'refused'")
    return int(count)


def letter_groups(client: Client, limit: int = 1_000) -> list[LetterGroup]:
    """Return the records that wait, by reason and source, the most frequent first."""
    rows = client.rows(
        """
        SELECT toString(reason), source, count() AS n, max(toUnixTimestamp64Micro(time))
        FROM dead_letters FINAL WHERE state = 'refused'
        GROUP BY reason, source ORDER BY n DESC, reason, source LIMIT {limit:UInt32}""",
        {"limit": limit},
    )
    return [LetterGroup(reason, source, int(n), int(newest)) for reason, source, n, newest in rows]


def dead_letters(
    client: Client,
    *,
    after: tuple[str, int, int] = ("", 0, -1),
    limit: int = 1_000,
    reason: str | None = None,
    source: str | None = None,
    state: LetterState | None = "refused",
) -> list[StoredLetter]:
    """Return a page of refused records in order of (topic, partition, offset), those behind ``after``.

    ``reason``, ``source`` and ``state`` narrow it; None is any. The next page begins after the last row's place.
    """
    rows = client.rows(
        """
        SELECT toString(topic), `partition`, offset, toString(reason), hex(error),
               if(isNull(key), NULL, hex(assumeNotNull(key))), hex(value), toUnixTimestamp64Micro(time),
               toString(state), source
        FROM dead_letters FINAL
        WHERE (topic, `partition`, offset) > ({topic:String}, {partition:UInt16}, {offset:Int64})
          AND ({reason:String} = '' OR reason = {reason:String})
          AND ({source:String} = '' OR source = {source:String})
          AND ({state:String} = '' OR toString(state) = {state:String})
        ORDER BY topic, `partition`, offset LIMIT {limit:UInt32}""",
        {
            "topic": after[0],
            "partition": after[1],
            "offset": after[2],
            "reason": reason or "",
            "source": source or "",
            "state": state or "",
            "limit": limit,
        },
    )
    return [
        StoredLetter(
            DeadLetter(
                topic,
                int(partition),
                int(offset),
                why,
                # Bytes travel as hex: a record that is not UTF-8 is a common reason to be here.
                bytes.fromhex(error).decode("utf-8", "replace"),
                None if key is None else bytes.fromhex(key),
                bytes.fromhex(value),
                int(time_us),
            ),
            done,
            source_of,
        )
        for topic, partition, offset, why, error, key, value, time_us, done, source_of in rows
    ]
