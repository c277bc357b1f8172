"""Refused records: kept with their bytes and the reason, listed, and marked once they were dealt with."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import pyarrow as pa

from sinks.client import Client
from sinks.columns import INSTANT
from streams.rows import DeadLetter

__all__ = ["LetterState", "StoredLetter", "count_dead_letters", "dead_letters", "write_dead_letters"]

LetterState = Literal["refused", "sent_again", "dropped"]


class StoredLetter(NamedTuple):
    """A refused record and what was done with it."""

    letter: DeadLetter
    state: LetterState


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


def dead_letters(
    client: Client,
    *,
    after: tuple[str, int, int] = ("", 0, -1),
    limit: int = 1_000,
    reason: str | None = None,
    state: LetterState | None = "refused",
) -> list[StoredLetter]:
    """Return a page of refused records in order of (topic, partition, offset), those behind ``after``.

    ``reason`` and ``state`` narrow it; None is any. The next page begins after the last row's place.
    """
    rows = client.rows(
        """
        SELECT toString(topic), `partition`, offset, toString(reason), hex(error),
               if(isNull(key), NULL, hex(assumeNotNull(key))), hex(value), toUnixTimestamp64Micro(time),
               toString(state)
        FROM dead_letters FINAL
        WHERE (topic, `partition`, offset) > ({topic:String}, {partition:UInt16}, {offset:Int64})
          AND ({reason:String} = '' OR reason = {reason:String})
          AND ({state:String} = '' OR toString(state) = {state:String})
        ORDER BY topic, `partition`, offset LIMIT {limit:UInt32}""",
        {
            "topic": after[0],
            "partition": after[1],
            "offset": after[2],
            "reason": reason or "",
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
        )
        for topic, partition, offset, why, error, key, value, time_us, done in rows
    ]
