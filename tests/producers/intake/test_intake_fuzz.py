"""Whatever is sent: accepted as the stream accepts it, or refused with a reason; nothing crashes."""

import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from typing import Any

import msgspec
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from contract.decode import EventError, Horizon, decode, decode_any
from contract.registry import KIND_OF_TOPIC, KINDS
from producers.examples import examples
from producers.intake.bodies import BodyError, records_of
from producers.intake.grants import Grant, IntakeToken
from producers.intake.judge import judge
from tests.support.intake import NOW, NOW_US, Desk, below

MUTATIONS = 100_000
LONGEST_S = 10.0
EXAMPLES = 60
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]

STRANGE: tuple[Any, ...] = (
    None, True, -1, 0, 2**63, 2**64, 1.5, "", "x" * 200, "\x00", "\ud7ff", "o\u0302\u0300", [], {}, [[]],
    "2026-11-22", {"type": "x"}, "nhip.payment.v1",
    "2026-11-22T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00",
)  # fmt: skip
CUTS = (b'"', b"\\", b"{", b"}", b"[", b",", b":", b"\xff", b"\x00", b"\\u0000", b"\\ud800", b'"type":1,', b"1e999")


def mutated(seeds: list[bytes], chance: random.Random) -> Iterator[bytes]:
    """Yield events with a field changed, dropped, added or moved, or with their bytes broken."""
    while True:
        value = chance.choice(seeds)
        if chance.random() < 0.5:
            at = chance.randrange(len(value))
            yield value[:at] + chance.choice(CUTS) + value[at + chance.randint(0, 3) :]
            continue
        tree = msgspec.json.decode(value)
        for _ in range(chance.randint(1, 3)):
            place = tree["data"] if chance.random() < 0.6 and isinstance(tree.get("data"), dict) else tree
            name = chance.choice([*place, "extra"])
            if chance.random() < 0.2:
                place.pop(name, None)
            else:
                place[name] = deepcopy(chance.choice(STRANGE))
        yield msgspec.json.encode(tree)


def test_mutated_events_are_accepted_as_readers_accept_them_or_refused() -> None:
    """100,000 mutations: what is accepted decodes in the stream under its key; what is refused has a reason."""
    chance = random.Random(6)
    seeds = [msgspec.json.encode(e) for kind in KINDS for e in examples(kind, 20, chance, NOW)]
    grant = Grant(IntakeToken("a", "0" * 64, NOW, ("*",)), below)
    horizon = Horizon(NOW_US)
    began_s, done, accepted, refused = time.monotonic(), 0, 0, 0

    for value in mutated(seeds, chance):
        (result,), records = judge([value], grant, horizon)
        if records:
            ((topic, key, sent),) = records
            assert decode(KIND_OF_TOPIC[topic], sent, horizon).subject.encode() == key
            accepted += 1
        else:
            assert result.reason
            assert result.error
            refused += 1
        done += 1
        if done == MUTATIONS or time.monotonic() - began_s > LONGEST_S:
            break

    print(f"{done} mutations in {time.monotonic() - began_s:.1f} s: {accepted} accepted, {refused} refused")
    assert accepted > done / 100
    assert refused > done / 4


def test_broken_bodies_never_crash() -> None:
    """Bytes of any kind as a body of any kind: records, or an error with a status."""
    chance = random.Random(7)
    seeds = [msgspec.json.encode([e]) for kind in KINDS for e in examples(kind, 3, chance, NOW)]
    kinds = [
        "application/json",
        "application/cloudevents-batch+json",
        "application/x-ndjson",
        "application/json;charset=",
    ]

    for _ in range(5_000):
        value = chance.choice(seeds)
        at = chance.randrange(len(value))
        sent = value[:at] + chance.choice(CUTS) * chance.randint(1, 3) + value[at:]
        headers = [("ce-id", chance.choice(["a", "%", "%zz", "%ff", '"']))] if chance.random() < 0.3 else []
        with suppress(BodyError):
            for record in records_of(chance.choice(kinds), headers, sent):
                with suppress(EventError):
                    decode_any(record, Horizon(NOW_US))


@schemathesis.serializer("application/x-ndjson")
def _ndjson(_: Any, value: Any) -> bytes:
    """Lines are sent as they are generated."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_the_openapi_document_holds(tmp_path: Path, mode: GenerationMode) -> None:
    """Generated requests, valid and not: no 5xx, only documented answers, nothing invalid accepted."""
    desk = Desk(tmp_path, events_per_s=1e9)
    desk.now_us = time.time_ns() // 1_000
    secret = desk.token(sources=("*",))
    operation = schemathesis.openapi.from_asgi("/api/openapi.json", desk.app)["/v1/events"]["POST"]
    statuses: Counter[int] = Counter()

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
    )
    def hold(case: Any) -> None:
        desk.producer.records.clear()
        answer = case.call(headers={"Authorization": f"Bearer {secret}"})
        statuses[answer.status_code] += 1
        case.validate_response(answer, checks=CHECKS)
        for topic, _, value in desk.producer.records:
            decode(KIND_OF_TOPIC[topic], value, Horizon(desk.now_us))

    hold()

    print(f"{mode.value}: {dict(statuses)}")
    assert sum(statuses.values()) >= EXAMPLES / 2
    assert mode is GenerationMode.POSITIVE or statuses[200] == 0
