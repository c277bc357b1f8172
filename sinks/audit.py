"""The trail of administrative acts: appended, never changed. What people did about alerts is part of it."""

import pyarrow as pa
from clickhouse_connect.driver.exceptions import Error
from msgspec import Struct

from sinks.client import Client
from streams.store import StoreUnavailableError

__all__ = ["Act", "acts", "write_act"]


class Act(Struct, frozen=True, kw_only=True):
    """One act. ``who``: account or recipient, never a person's name; ``detail``: in which way, never a secret.

    ``at_us`` is microseconds since 1970 by the clock of the store; 0 until it is written.
    """

    who: str
    host: str
    act: str
    subject: str
    detail: str = ""
    at_us: int = 0


def write_act(client: Client, act: Act) -> None:
    """Append an act; the store says when. Raises StoreUnavailableError, also where the table is missing."""
    columns = {name: [getattr(act, name)] for name in ("who", "host", "act", "subject", "detail")}
    try:
        client.insert("audit", pa.table(columns))
    except Error as error:
        raise StoreUnavailableError(
            f"the table audit cannot be written (`nhip prepare` makes it): {error}"
        ) from error


def acts(client: Client, limit: int) -> list[Act]:
    """Return the newest acts, the newest first."""
    rows = client.rows(
        """
        SELECT * FROM (
            SELECT who, host, toString(act) AS act, subject, detail, toUnixTimestamp64Micro(at) AS at_us FROM audit
            UNION ALL
            SELECT by, '', concat('alert ', toString(action)), concat(rule, ' in ', scope), reason,
                   toUnixTimestamp64Micro(at)
            FROM alert_actions FINAL)
        ORDER BY at_us DESC LIMIT {limit:UInt32}""",
        {"limit": limit},
    )
    return [
        Act(who=who, host=host, act=act, subject=subject, detail=detail, at_us=int(at_us))
        for who, host, act, subject, detail, at_us in rows
    ]
