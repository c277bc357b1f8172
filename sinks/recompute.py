"""Recomputing all marks from the stored snapshots: after a change of the indicators or of partition counts.

The new rows outrank the old ones because their definitions have a higher number. What they rest on is written
down last: a program that is stopped half-way leaves a store that no worker starts on until it is repeated.
"""

from collections.abc import Callable, Mapping

import pyarrow as pa

from contract.partition import partition_of
from contract.registry import KINDS
from sinks.client import Client
from sinks.definitions import adopt_partitions
from sinks.entities import entities_ready
from sinks.snapshots import stored_batches

__all__ = ["recompute_marks"]

NO_RECORD = -1
"""Offset of a row whose record lies in another partition now."""


def recompute_marks(
    client: Client, fingerprint: str, counts: Mapping[str, int], progress: Callable[[int, int], None]
) -> int:
    """Write every newest snapshot again with its marks recomputed; return how many. Workers must not run.

    ``counts``: topic → partitions as Kafka has them now; ``progress`` gets (done, total).
    """
    ((sequence,),) = client.rows("SELECT max(sequence) + 1 FROM definitions")
    total = sum(client.rows(f"SELECT uniqExact(id) FROM {kind.table}")[0][0] for kind in KINDS)  # noqa: S608
    done = 0
    for kind in KINDS:
        functions = [indicator.mark for indicator in kind.marked if indicator.mark is not None]
        for batch in stored_batches(client, kind):
            batch.marks = [tuple([mark(event.data) for mark in functions]) for event in batch.events]
            homes = [partition_of(event.subject.encode(), counts[kind.topic]) for event in batch.events]
            moved = zip(batch.offsets, batch.partitions, homes, strict=True)
            batch.offsets = [offset if old == new else NO_RECORD for offset, old, new in moved]
            batch.partitions = homes
            entities_ready(client, batch, sequence)()
            done += len(batch.events)
            progress(done, total)
    rests_on = {"sequence": pa.array([sequence], pa.uint16()), "fingerprint": [fingerprint]}
    client.insert("definitions", pa.table(rests_on))
    adopt_partitions(client, counts)
    return done
