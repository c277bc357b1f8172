"""Messages as decided and what became of them: one row for every state, the largest step counts."""

# ruff: noqa: S608
# Columns in SQL come from this file; every value is a parameter.

from collections.abc import Collection, Sequence
from typing import Any

import msgspec
import pyarrow as pa

from sinks.client import Client
from sinks.columns import INSTANT
from sinks.outbox import FINAL, ChannelResult, Delivery, DeliveryState, Pending
from sinks.relation import relation
from streams.alerts import Notice, NoticeFacts

__all__ = [
    "attempts_of",
    "known_notices",
    "newest_notices",
    "sent_since",
    "undelivered",
    "write_notices",
    "write_states",
]

_NOTICE = ("id", "alert", "rule", "scope", "kind", "severity", "recipient")
_COLUMNS = ", ".join(
    (
        *(f"toString({name})" for name in _NOTICE),
        "toUnixTimestamp64Micro(decided_at)",
        "facts",
        "toString(state)",
        "attempts",
        *(f"toUnixTimestamp64Micro({name})" for name in ("first_at", "at", "next_at")),
        "error",
        "delivered",
        "channels",
        "errors",
        "folded_into",
    )
)
_FIRST_FINAL_STEP = min(Delivery(state=state, first_us=0, at_us=0).step for state in FINAL)
_FACTS = msgspec.json.Decoder(NoticeFacts)


def write_notices(client: Client, notices: Sequence[Notice]) -> None:
    """Insert decided notices as one block; one that is known already keeps the state it has."""
    write_states(client, [(notice, _decided(notice)) for notice in notices])


def write_states(client: Client, states: Sequence[tuple[Notice, Delivery]]) -> None:
    """Insert a state of each of these notices as one block."""
    if not states:
        return
    notices = [notice for notice, _ in states]
    deliveries = [delivery for _, delivery in states]
    texts = pa.list_(pa.string())
    columns: dict[str, pa.Array[Any]] = {
        name: pa.array([getattr(notice, name) for notice in notices], pa.string()) for name in _NOTICE
    }
    columns |= {
        "step": pa.array([one.step for one in deliveries], pa.uint32()),
        "decided_at": _instants([notice.at_us for notice in notices]),
        "facts": pa.array([msgspec.json.encode(notice.facts).decode() for notice in notices], pa.string()),
        "state": pa.array([one.state.value for one in deliveries], pa.string()),
        "attempts": pa.array([one.attempts for one in deliveries], pa.uint16()),
        "first_at": _instants([one.first_us for one in deliveries]),
        "at": _instants([one.at_us for one in deliveries]),
        "next_at": _instants([one.next_us for one in deliveries]),
        "error": pa.array([one.error for one in deliveries], pa.string()),
        "delivered": pa.array([list(one.delivered) for one in deliveries], texts),
        "channels": pa.array([[said.channel for said in one.results] for one in deliveries], texts),
        "errors": pa.array([[said.error for said in one.results] for one in deliveries], texts),
        "folded_into": pa.array([one.folded_into for one in deliveries], pa.string()),
    }
    client.insert("notifications", pa.table(columns))


def known_notices(client: Client, ids: Collection[str]) -> set[str]:
    """Return those of the ids that were decided before."""
    if not ids:
        return set()
    wanted, parameters = relation({"id": ("String", sorted(ids))})
    return {
        key for (key,) in client.rows(f"SELECT DISTINCT id FROM notifications WHERE id IN ({wanted})", parameters)
    }


def undelivered(client: Client) -> list[Pending]:
    """Return all notices whose newest state is not final, the oldest first."""
    found = _newest(
        client,
        "id IN (SELECT id FROM notifications GROUP BY id HAVING max(step) < {final:UInt32})",
        {"final": _FIRST_FINAL_STEP},
    )
    return sorted(found, key=lambda one: (one.notice.at_us, one.notice.id))


def newest_notices(client: Client, alert: str, limit: int) -> list[Pending]:
    """Return the notices about an alert in their newest state, the newest first, at most ``limit``."""
    found = _newest(client, "id IN (SELECT id FROM notifications WHERE alert = {alert:String})", {"alert": alert})
    return sorted(found, key=lambda one: (-one.notice.at_us, one.notice.id))[:limit]


def attempts_of(client: Client, key: str) -> list[Delivery]:
    """Return every state that was recorded of a notice, in order."""
    rows = client.rows(
        f"SELECT {_COLUMNS} FROM notifications WHERE id = {{id:String}} ORDER BY step LIMIT 1 BY step", {"id": key}
    )
    return [delivery for row in rows if (delivery := _pending(row).delivery) is not None]


def sent_since(client: Client, recipient: str, since_us: int) -> int:
    """Return how many notices to a recipient became sent at or after a moment of the wall clock."""
    ((count,),) = client.rows(
        """
        SELECT uniqExact(id) FROM notifications
        WHERE recipient = {recipient:String} AND state = {sent:String}
          AND at >= fromUnixTimestamp64Micro({since:Int64})""",
        {"recipient": recipient, "sent": DeliveryState.SENT.value, "since": since_us},
    )
    return int(count)


def _newest(client: Client, condition: str, parameters: dict[str, Any]) -> list[Pending]:
    rows = client.rows(
        f"SELECT {_COLUMNS} FROM notifications WHERE {condition} ORDER BY id, step DESC LIMIT 1 BY id", parameters
    )
    return [_pending(row) for row in rows]


def _decided(notice: Notice) -> Delivery:
    return Delivery(state=DeliveryState.DECIDED, first_us=notice.at_us, at_us=notice.at_us)


def _pending(row: Sequence[Any]) -> Pending:
    key, alert, rule, scope, kind, severity, recipient, at, facts, *rest = row
    notice = Notice(
        id=key,
        alert=alert,
        rule=rule,
        scope=scope,
        kind=kind,
        severity=severity,
        recipient=recipient,
        at_us=at,
        facts=_FACTS.decode(facts),
    )
    state, attempts, first, since, after, error, delivered, channels, errors, folded_into = rest
    if state == DeliveryState.DECIDED.value:
        return Pending(notice)
    return Pending(
        notice,
        Delivery(
            state=DeliveryState(state),
            attempts=attempts,
            first_us=first,
            at_us=since,
            next_us=after,
            error=error,
            delivered=tuple(delivered),
            results=tuple(ChannelResult(*said) for said in zip(channels, errors, strict=True)),
            folded_into=folded_into,
        ),
    )


def _instants(moments_us: Sequence[int | None]) -> "pa.Array[Any]":
    return pa.array(moments_us, pa.int64()).cast(INSTANT)
