"""Which statements an account that may not change anything may send, by the engine's own parser.

Rights on tables, columns and sources are the engine's to check. It has holes for whom it takes for its own process:
several statements in one text, `SET ROLE`, `INTO OUTFILE`, the function `file`, tables of the system, and table
functions that see past a filter on rows. A real server has none of the first four.
"""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import pairwise

from nhip.local.statement import TOKEN

__all__ = ["Gate", "GateError", "touches_files"]

_KNOWN_TEXTS = 2_000
"""Texts that were let through and are not parsed again: screens send the same ones every second."""
_READS = ("SelectWithUnionQuery", "DescribeQuery", "ExistsTableQuery")
_INSERT = "InsertQuery"
_SYSTEM = ("system.", "information_schema.")
_OPEN = frozenset(
    f"system.{table}" for table in ("columns", "databases", "functions", "numbers", "one", "settings", "tables")
)
_HARMLESS = frozenset(
    {"format", "generate_series", "generateseries", "null", "numbers", "numbers_mt", "values", "zeros"}
)
"""Table functions that make their rows themselves; `format` is a function too."""
_FUNCTION = re.compile(r" *Function (\S+)")
_TABLE = re.compile(r" *(?:Table)?Identifier (\S+)")
_PARAMETER = re.compile(rb"\s*\w+\s*:\s*(.+)", re.DOTALL)
_FILES = re.compile(rb"(?i)OUTFILE|INFILE")
_CLAUSES = ((b"INTO", b"OUTFILE"), (b"FROM", b"INFILE"))


class GateError(Exception):
    """A statement is not let through; says which part of it."""


def touches_files(sql: str) -> bool:
    """Tell whether a statement may write or read a file of this machine; a real server refuses that by HTTP."""
    text = sql.encode()
    if _FILES.search(text) is None:
        return False
    words = [token["word"].upper() if token["word"] else b"" for token in TOKEN.finditer(text) if not token["skip"]]
    return any(pair in _CLAUSES for pair in pairwise(words))


class Gate:
    """Lets statements through. ``ask`` runs one on the engine and returns its answer as text."""

    def __init__(self, ask: Callable[..., str]) -> None:
        self._ask = ask
        # Some are functions too, such as `file`, and refused as such.
        known = {name.lower() for name in ask("SELECT name FROM system.table_functions").split()}
        self._refused = (known - _HARMLESS) | {"joinget", "joingetornull"}
        self.admitted = lru_cache(_KNOWN_TEXTS)(self._admitted)

    def _admitted(self, sql: str, *, inserts: bool = False) -> str:
        """Return the statement as the engine's parser wrote it down again: one, and without comments.

        ``inserts``: it is an INSERT whose data comes beside it. Raises GateError, and what ``ask`` raises for a text
        that is no statement.
        """
        text = self._ask("SELECT formatQuery({q:String})", q=sql).strip()
        if touches_files(text):
            raise GateError("INTO OUTFILE and FROM INFILE are not for this account")
        if b"PREWHERE" in (token["word"].upper() for token in TOKEN.finditer(text.encode()) if token["word"]):
            raise GateError("PREWHERE is not for this account: write WHERE")
        tree = self._ask(f"EXPLAIN AST {_without_parameters(text)}").splitlines()
        if not tree or not tree[0].startswith(_INSERT if inserts else _READS):
            raise GateError("this account may only read: SELECT, DESCRIBE TABLE, EXISTS TABLE")
        for line in tree:
            if (found := _FUNCTION.match(line)) and (
                found[1].lower() in self._refused or found[1].lower().startswith(("dictget", "ai"))
            ):
                raise GateError(f"the function {found[1]} is not for this account")
            if (found := _TABLE.match(line)) and found[1].lower().startswith(_SYSTEM) and found[1] not in _OPEN:
                raise GateError(f"{found[1]} is not for this account")
        return text


def _tokens(text: bytes) -> Iterator[tuple[bytes, bool]]:
    for token in TOKEN.finditer(text):
        yield token[0], token["quoted"] is not None


def _without_parameters(text: str) -> str:
    """Put NULL in place of each `{name:Type}`: the tree is the same whatever the values, except of an Identifier."""
    rv: list[bytes] = []
    place: list[bytes] | None = None
    for piece, quoted in _tokens(text.encode()):
        if place is None and piece == b"{" and not quoted:
            place = []
        elif place is None:
            rv.append(piece)
        elif piece == b"}" and not quoted:
            inner = b"".join(place)
            found = _PARAMETER.fullmatch(inner)
            if found and found[1].lower().startswith(b"identifier"):
                raise GateError("parameters of the type Identifier are not for this account")
            rv.append(b"NULL" if found else b"{%s}" % inner)
            place = None
        else:
            place.append(piece)
    return b"".join(rv).decode()
