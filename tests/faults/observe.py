"""What the store and Kafka hold, read past the proxy into the values of the checker."""

# ruff: noqa: S608
# Tables and columns in SQL come from the registry and this program; every value is a parameter.

import asyncio
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import aiokafka
import msgspec
from aiokafka.structs import TopicPartition

from contract.kind import Kind
from contract.registry import KIND_OF_TOPIC, KINDS
from sinks.client import Client
from sinks.columns import columns_of
from sinks.relation import relation
from tests.faults.checker import Letter, Place, Row
from tests.faults.poison import PREFIX
from tests.faults.truth import Key

__all__ = ["InKafka", "alert_states", "entity_count", "letters_after", "read_kafka", "stored_rows"]

IDS_AT_ONCE = 20_000
FETCH_MS = 500


class InKafka(NamedTuple):
    """What was read of the topics: newest version of each entity, places of poison with its name, where to go on."""

    newest: dict[Key, int]
    poison: dict[Place, str]
    ends: dict[tuple[str, int], int]
    records: int


class _Read(msgspec.Struct):
    subject: str
    version: int


def stored_rows(client: Client, keys: Iterable[Key]) -> dict[Key, Row]:
    """Return the newest row of each of these entities that is stored."""
    wanted: dict[str, list[str]] = {}
    for key, subject in keys:
        wanted.setdefault(key, []).append(subject)
    found: dict[Key, Row] = {}
    for kind in KINDS:
        ids = sorted(wanted.get(kind.key, ()))
        for first in range(0, len(ids), IDS_AT_ONCE):
            found |= _rows(client, kind, ids[first : first + IDS_AT_ONCE])
    return found


def _rows(client: Client, kind: Kind, ids: list[str]) -> dict[Key, Row]:
    layout = columns_of(kind)
    field = "toString(field)" if layout.has_field else "NULL"
    marks = ", ".join(f"{key}_at, {key}_good" for key in layout.marks)
    wanted, parameters = relation({"id": ("String", ids)})
    rows = client.rows(
        f"SELECT id, version, toString(unit), {field}, {marks} FROM {kind.table} FINAL WHERE id IN ({wanted})",
        parameters,
    )
    return {
        (kind.key, id_): Row(
            int(version),
            unit,
            None if field_ is None else str(field_),
            tuple(
                (key, int(at), good == 1)
                for key, at, good in zip(layout.marks, rest[::2], rest[1::2], strict=True)
                if at is not None
            ),
        )
        for id_, version, unit, field_, *rest in rows
    }


def entity_count(client: Client) -> int:
    """Return how many entities are stored."""
    counts = [client.rows(f"SELECT count() FROM {kind.table} FINAL") for kind in KINDS]
    return sum(int(count) for ((count,),) in counts)


def letters_after(client: Client, known: set[Place]) -> list[Letter]:
    """Return the dead letters that are not known yet."""
    rows = client.rows("SELECT toString(topic), `partition`, offset, toString(reason) FROM dead_letters FINAL")
    letters = [Letter((topic, int(partition), int(offset)), reason) for topic, partition, offset, reason in rows]
    return [letter for letter in letters if letter.place not in known]


def alert_states(client: Client, scope: str) -> list[str]:
    """Return the states of all alerts of a scope, as they stand."""
    rows = client.rows("SELECT toString(state) FROM alerts FINAL WHERE scope = {scope:String}", {"scope": scope})
    return [state for (state,) in rows]


def read_kafka(bootstrap: str, partitions: int, starts: Mapping[tuple[str, int], int]) -> InKafka:
    """Read every topic from ``starts`` (absent: the beginning) to its end."""
    return asyncio.run(_read(bootstrap, partitions, starts))


async def _read(bootstrap: str, partitions: int, starts: Mapping[tuple[str, int], int]) -> InKafka:
    consumer = aiokafka.AIOKafkaConsumer(
        bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    decode = msgspec.json.Decoder(_Read).decode
    newest: dict[Key, int] = {}
    poison: dict[Place, str] = {}
    records = 0
    await consumer.start()
    try:
        places = [TopicPartition(topic, number) for topic in KIND_OF_TOPIC for number in range(partitions)]
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        for place in places:
            consumer.seek(place, starts.get((place.topic, place.partition), 0))
        left = {place for place in places if ends[place] > starts.get((place.topic, place.partition), 0)}
        while left:
            for place, batch in (await consumer.getmany(timeout_ms=FETCH_MS)).items():
                kind = KIND_OF_TOPIC[place.topic].key
                for record in batch:
                    records += 1
                    name = (record.key or b"").decode()
                    if name.startswith(PREFIX):
                        poison[place.topic, place.partition, record.offset] = name
                        continue
                    read = decode(record.value)
                    key = (kind, read.subject)
                    newest[key] = max(newest.get(key, -1), read.version)
            left = {place for place in left if await consumer.position(place) < ends[place]}
        return InKafka(newest, poison, {(p.topic, p.partition): ends[p] for p in places}, records)
    finally:
        await consumer.stop()
