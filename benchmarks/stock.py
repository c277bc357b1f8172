"""A stock Faust agent that counts one rate per unit: what the worker is compared with.

    python -m benchmarks.stock BOOTSTRAP PARTITIONS EVENTS tables|dicts RESULT

It keeps the newest version of each dossier and two sums per unit, in Faust tables (which write each change to
Kafka, as they must to survive a restart) or in plain dicts (which do not survive). It stores nothing else.
"""

import sys
import time
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

import faust
import msgspec

from contract.dossier import DOSSIER

__all__ = ["Counted"]

WARM_UP = 1_000
"""Events before the clock starts: connections, the first fetch and the tables' recovery are over by then."""

Seen = tuple[int, str, bool, bool]
"""Version, unit, whether it counts, whether it is online."""


class Counted(msgspec.Struct, frozen=True):
    """What was counted after the warm-up, in which time."""

    events: int
    seconds: float
    cpu_s: float


def main(bootstrap: str, partitions: int, events: int, state: str, result: Path) -> None:
    """Count so many events after the warm-up and write the result; the process then idles until it is ended."""
    app = faust.App(
        f"bench-stock-{state}",
        broker=f"kafka://{bootstrap}",
        store="memory://",
        key_serializer="raw",
        value_serializer="json",  # decoded by orjson where it is installed, as here
        consumer_auto_offset_reset="earliest",
        topic_partitions=partitions,
        topic_disable_leader=True,
        table_standby_replicas=0,
        web_enabled=False,
        worker_redirect_stdouts=False,
    )
    app.agent(app.topic(DOSSIER.topic, key_type=bytes))(_agent(app, events, state, result))
    faust.Worker(app, loglevel="WARNING", redirect_stdouts=False, quiet=True).execute_from_commandline()


def _agent(app: faust.App, events: int, state: str, result: Path) -> Callable[[Any], Awaitable[None]]:
    newest: MutableMapping[str, Any] = app.Table("newest") if state == "tables" else {}
    sums: MutableMapping[str, int] = app.Table("sums", default=int) if state == "tables" else {}

    async def count(stream: Any) -> None:
        done, began_s, began_cpu_s = 0, 0.0, 0.0
        async for event in stream:
            _add(event, newest, sums)
            done += 1
            if done == WARM_UP:
                began_s, began_cpu_s = time.monotonic(), time.process_time()
            elif done == WARM_UP + events:
                seconds, cpu_s = time.monotonic() - began_s, time.process_time() - began_cpu_s
                draft = result.with_suffix(".draft")
                draft.write_bytes(msgspec.json.encode(Counted(events, seconds, cpu_s)))
                draft.replace(result)

    return count


def _add(event: dict[str, Any], newest: MutableMapping[str, Any], sums: MutableMapping[str, int]) -> None:
    data, subject, version = event["data"], event["subject"], event["version"]
    known = newest.get(subject)
    if known is not None and known[0] >= version:
        return
    counts = data.get("received_at") is not None and data["status"] not in ("rejected", "void")
    now = (version, data["unit"], counts, counts and data["channel"] == "online")
    if known is None or tuple(known[1:]) != now[1:]:
        if known is not None:
            _change(known, -1, sums)
        _change(now, 1, sums)
    newest[subject] = now


def _change(seen: Seen, sign: int, sums: MutableMapping[str, int]) -> None:
    _, unit, counts, online = seen
    for what, value in (("total", counts), ("online", online)):
        if value:
            key = f"{unit}/{what}"
            sums[key] = sums.get(key, 0) + sign


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], Path(sys.argv[5]))
