"""The last good text of the rules, so that a faulty file does not leave the system without any."""

import hashlib
import socket

import pyarrow as pa

from sinks.audit import Act, write_act
from sinks.client import Client

__all__ = ["read_rules", "write_rules"]

_RULES = "rules"


def read_rules(client: Client) -> str | None:
    """Return the rules as they were last found sound; None before the first time."""
    rows = client.rows("SELECT text FROM rule_sets FINAL WHERE name = {name:String}", {"name": _RULES})
    return str(rows[0][0]) if rows else None


def write_rules(client: Client, text: str) -> None:
    """Keep rules that were found sound; unchanged ones are not written again."""
    if read_rules(client) == text:
        return
    ((version,),) = client.rows("SELECT max(version) + 1 FROM rule_sets WHERE name = {name:String}", {"name": _RULES})
    client.insert(
        "rule_sets",
        pa.table({"name": [_RULES], "version": pa.array([version], pa.uint64()), "text": [text]}),
    )
    digest = f"sha256 {hashlib.sha256(text.encode()).hexdigest()}"
    host = socket.gethostname()
    write_act(client, Act(who="worker", host=host, act="rules accepted", subject=_RULES, detail=digest))
