"""Stored rows back as events: for `nhip check` and `nhip rebuild`, which recompute marks from snapshots."""

# ruff: noqa: S608
# Tables and columns in SQL come from the registry and this program; every value is a parameter.

from collections.abc import Iterator

from contract.kind import Kind
from contract.marks import Mark
from sinks.client import Client
from sinks.columns import columns_of
from streams.rows import EntityBatch

__all__ = ["stored_batches"]

_ENVELOPE = "id, toString(source), event_id, event_time, version, content, `partition`, offset, epoch"


def stored_batches(client: Client, kind: Kind) -> Iterator[EntityBatch]:
    """Stream the newest row of every entity of a kind, in blocks of some 65,000 and in no order.

    ``marks`` are those stored with the row. Rows written while this runs may or may not be among them.
    """
    layout = columns_of(kind)
    fields = ", ".join(f"`{name}`" for name in layout.names)
    marks = ", ".join(f"{key}_at, {key}_good" for key in layout.marks)
    width = len(layout.names)
    blocks = client.blocks(f"SELECT {_ENVELOPE}, {fields}, {marks} FROM {kind.table} FINAL")
    for ids, sources, event_ids, times, versions, contents, partitions, offsets, epochs, *rest in blocks:
        data = [kind.snapshot(**dict(zip(layout.names, row, strict=True))) for row in zip(*rest[:width], strict=True)]
        counted = [
            [None if at is None else Mark(at, good == 1) for at, good in zip(at_s, goods, strict=True)]
            for at_s, goods in zip(rest[width::2], rest[width + 1 :: 2], strict=True)
        ]
        events = [
            kind.event(specversion="1.0", source=source, id=event_id, subject=id_, time=time, version=version, data=d)
            for id_, source, event_id, time, version, d in zip(
                ids, sources, event_ids, times, versions, data, strict=True
            )
        ]
        yield EntityBatch(
            kind,
            events,
            list(contents),
            list(zip(*counted, strict=True)),
            list(partitions),
            list(offsets),
            list(epochs),
        )
