"""A store with something in it, without Kafka: what the offline check and the tests run the statements on."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from contract.fingerprint import fingerprint
from contract.kind import Event
from contract.marks import epoch_us
from contract.registry import KINDS
from contract.units import UnitTree
from producers.replay import shift_to, shifted
from sinks.store import ClickHouseStore
from streams.rows import DeadLetter, EntityBatch, EpochKey, Heartbeat, PaneBatch, Progress, SourceRow

__all__ = ["fill"]

_EPOCH = 1
_US = 1_000_000


def fill(
    store: ClickHouseStore,
    tree: UnitTree,
    events: Sequence[Event],
    units: Sequence[str] = (),
    now: datetime | None = None,
) -> None:
    """Store the newest snapshot of every entity, moved so that the last one is of now, and publish its figures.

    With ``units`` the entities are dealt out among these, whatever unit they came from. The
    same functions as a worker's are used for marks, panes and sums; a day-old history and one refused record are
    added.
    """
    moment = now or datetime.now(UTC)
    now_us = epoch_us(moment)
    store.ensure_definitions(fingerprint(KINDS))
    shift = shift_to(events, moment) if events else timedelta()
    newest: dict[Any, Any] = {
        (type(event), event.subject): shifted(event, shift) for event in sorted(events, key=lambda e: e.version)
    }
    for n, (entity, event) in enumerate(newest.items() if units else ()):
        data = msgspec.structs.replace(event.data, unit=units[n % len(units)])
        newest[entity] = msgspec.structs.replace(event, data=data)
    for kind in KINDS:
        key = EpochKey(kind.topic, 0, _EPOCH)
        store.claim([key], "sample")
        found = [event for event in newest.values() if isinstance(event, kind.event)]
        if found:
            functions = [indicator.mark for indicator in kind.marked if indicator.mark is not None]
            size = len(found)
            store.write_entities(
                EntityBatch(
                    kind,
                    found,
                    list(range(size)),
                    [tuple(mark(event.data) for mark in functions) for event in found],
                    [0] * size,
                    list(range(size)),
                    [_EPOCH] * size,
                )
            )
            spoken = {(event.source, str(_unit(event))) for event in found}
            panes = PaneBatch(list(store.rebuild(kind, [0], now_us // _US, tree.segments)))
            store.write_panes(kind.topic, {0: _EPOCH}, {0: 1}, panes)
            store.write_sources(
                [SourceRow(source, unit, key, 1, now_us, now_us, size, 0) for source, unit in sorted(spoken)]
            )
        store.write_progress([Progress(key, 1, max(0, len(found) - 1), now_us, [])])
        store.complete([key])
    for tick, ago_s in enumerate((2 * 86_400, 86_400, 3_600, 0)):
        at_us = now_us - ago_s * _US
        store.write_rates(store.sum_panes(at_us // _US, None), Heartbeat(_EPOCH, tick, at_us, at_us))
    store.write_dead_letters([DeadLetter(KINDS[0].topic, 0, 0, "json", "not JSON", None, b"\xff", now_us)])


def _unit(event: Any) -> Any:
    return event.data.unit  # every kind of snapshot has one
