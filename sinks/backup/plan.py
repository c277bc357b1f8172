"""Which tables a back-up holds, and in which order they are read. Pure.

Workers go on writing meanwhile. What refers to other rows is therefore read before what it refers to, the reverse of
the order of writing: a back-up may know more than its `progress` says, which is read again and changes nothing, and
never less, which would be lost.
"""

import re
from collections.abc import Iterable, Sequence

from contract.kind import Kind
from contract.registry import KINDS
from sinks.migrate import Migration, load

__all__ = ["DERIVED", "known_tables", "reading_order"]

DERIVED = {
    "panes": "made from the entity rows when a worker takes a partition over",
    "rates_now": "summed from the panes by roll, seconds after the start",
    "heartbeat": "written by roll each second",
    "schema_migrations": "the manifest names the migrations; a restore applies them",
}
"""Tables that a back-up leaves out, and why they need no back-up."""

# progress says which records are in the entity rows, an alert that its messages were decided.
_FIRST = ("progress", "alerts")
# Rows carry the numbers of definitions and epochs: those of the back-up must know all of them, because a new epoch
# has to be larger than any in the rows.
_LAST = ("notifications", "definitions", "topics", "epochs")

_CREATE = re.compile(r"CREATE TABLE IF NOT EXISTS (\w+)")


def known_tables(migrations: Sequence[Migration] | None = None, kinds: Sequence[Kind] = KINDS) -> list[str]:
    """Return every table of this program's schema."""
    files = load() if migrations is None else migrations
    made = [name for migration in files for name in _CREATE.findall(migration.sql)]
    return [*(kind.table for kind in kinds), *made, "schema_migrations"]


def reading_order(tables: Iterable[str]) -> list[str]:
    """Return those of the tables that a back-up holds, in the order in which it must read them."""
    kept = [table for table in tables if table not in DERIVED]
    between = [table for table in kept if table not in _FIRST and table not in _LAST]
    return [
        *(table for table in _FIRST if table in kept),
        *between,
        *(table for table in _LAST if table in kept),
    ]
