"""Poison: records that must be refused, each with its reason, straight into Kafka past every check of a client."""

import asyncio
from collections.abc import Callable
from typing import NamedTuple

import msgspec
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from contract.dossier import DOSSIER
from contract.partition import partition_of
from tests.faults.load import office_dossier

__all__ = ["PREFIX", "Poison", "make_poison", "send_poison"]

PREFIX = "POISON-"
SEND_S = 60.0
_DAY_US = 86_400_000_000


class Poison(NamedTuple):
    """One record: ``name`` is its key and ends with the reason that must be given."""

    name: str
    value: bytes | None
    astray: bool = False


def make_poison(seed: int, fault: int, count: int, now_us: int) -> list[Poison]:
    """Make records of every reason in turn."""
    reasons = tuple(_MADE)
    found = []
    for number in range(count):
        reason = reasons[number % len(reasons)]
        name = f"{PREFIX}{seed}.{fault}.{number}-{reason}"
        found.append(Poison(name, _MADE[reason](name, now_us), astray=reason == "partition"))
    return found


def send_poison(bootstrap: str, poison: list[Poison], partitions: int) -> dict[str, str]:
    """Send all; return name and reason of those that Kafka acknowledged."""
    return asyncio.run(_send(bootstrap, poison, partitions))


async def _send(bootstrap: str, poison: list[Poison], partitions: int) -> dict[str, str]:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True)
    try:
        await producer.start()
    except (KafkaError, OSError):
        return {}
    try:
        sent = [await _one(producer, one, partitions) for one in poison]
        await asyncio.wait([future for _, future in sent], timeout=SEND_S)
        return {
            one.name: one.name.rsplit("-", 1)[-1]
            for one, future in sent
            if future.done() and not future.cancelled() and future.exception() is None
        }
    except (KafkaError, OSError):
        return {}
    finally:
        await producer.stop()


async def _one(producer: AIOKafkaProducer, one: Poison, partitions: int) -> tuple[Poison, "asyncio.Future[object]"]:
    place = partition_of(one.name.encode(), partitions)
    if one.astray:
        place = (place + 1) % partitions
    future = await producer.send(DOSSIER.topic, one.value, one.name.encode(), partition=place)
    return one, asyncio.ensure_future(future)


def _good(name: str, now_us: int) -> bytes:
    return msgspec.json.encode(office_dossier("LAB-P", name, now_us, on_time=True).event)


def _unknown_field(name: str, now_us: int) -> bytes:
    return _good(name, now_us).replace(b'"channel"', b'"colour":"red","channel"')


def _from_the_future(name: str, now_us: int) -> bytes:
    return _good(name, now_us + 10 * _DAY_US)


_MADE: dict[str, Callable[[str, int], bytes | None]] = {
    "not_json": lambda name, _: f'{{"subject":"{name}",'.encode(),
    "invalid": _unknown_field,
    "empty": lambda _, __: None,
    "too_large": lambda name, now_us: _good(name, now_us) + b" " * 66_000,
    "future": _from_the_future,
    "personal": lambda name, now_us: _good(name, now_us).replace(b'"LAB-P"', b'"0912345678"'),
    "key": lambda name, now_us: _good(f"OF-{name}", now_us),
    "partition": _good,
}
