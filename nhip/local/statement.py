"""What an SQL text is: a read, a change, or an insert whose data follows."""

import re
from dataclasses import dataclass

__all__ = ["Statement", "parse"]

# The text before an insert's data is short; what follows may be a gigabyte of anything.
HEAD_BYTES = 1024 * 1024
FORMAT_TAIL_CHARS = 2000

TOKEN = re.compile(
    rb"""
    (?P<skip> \s+ | --[^\n]* | \#[^\n]* | /\*.*?\*/ )
    | (?P<quoted> '(?:[^'\\]|\\.)*' | `(?:[^`\\]|\\.)*` | "(?:[^"\\]|\\.)*" )
    | (?P<word> \w+ )
    | (?P<other> . )
    """,
    re.DOTALL | re.VERBOSE,
)
OUTPUT_FORMAT = re.compile(r"(?is)\bFORMAT\s+(\w+)\s*(?:SETTINGS\b.*)?;?\s*$")
READS = frozenset({"SELECT", "WITH", "SHOW", "DESCRIBE", "DESC", "EXPLAIN", "EXISTS"})
# These leave something behind in the connection, which the next request would find.
SESSION_WIDE = frozenset({"SET", "USE"})
NO_DATA_FOLLOWS = frozenset({"SELECT", "WITH", "VALUES", "FROM", "WATCH"})


@dataclass(frozen=True)
class Statement:
    """One request's SQL.

    sql: the text; for an insert with data, without its FORMAT clause.
    reads: it changes nothing, so it may run beside other reads.
    taints: it changes its connection, which must not serve another request afterwards.
    data: the bytes an insert brings, still in `data_format`; None for every other statement.
    output_format: the format the text itself asks for, if it does.
    """

    sql: str
    reads: bool
    taints: bool
    data: memoryview | None = None
    data_format: str = ""
    output_format: str | None = None


def parse(query: str, body: bytes) -> Statement:
    """Return the statement of a request with this `query` parameter and this (plain) body.

    As in ClickHouse, the statement is the parameter and the body together. Raises UnicodeDecodeError when
    SQL is not UTF-8.
    """
    prefix = f"{query}\n".encode() if query else b""
    head = prefix + body[:HEAD_BYTES]
    words = _leading_words(head)
    first = words[0] if words else ""
    if first == "INSERT" and (found := _data_clause(head)) is not None:
        start, data_format, end = found
        data = memoryview(body)[max(0, end - len(prefix)) :]
        return Statement(head[:start].decode(), reads=False, taints=False, data=data, data_format=data_format)
    sql = (prefix + body).decode().rstrip().rstrip(";")
    named = OUTPUT_FORMAT.search(sql[-FORMAT_TAIL_CHARS:])
    return Statement(
        sql,
        reads=first in READS,
        taints=first in SESSION_WIDE or words == ["CREATE", "TEMPORARY"],
        output_format=named[1] if named else None,
    )


def _leading_words(head: bytes) -> list[str]:
    words: list[str] = []
    for token in TOKEN.finditer(head):
        if token["word"]:
            words.append(token["word"].decode(errors="replace").upper())
        if len(words) == 2 or token["quoted"]:  # noqa: PLR2004 - two words tell every kind apart
            break
    return words


def _data_clause(head: bytes) -> tuple[int, str, int] | None:
    """Find `FORMAT name` of an insert with data: where it starts, the name, and where the data starts."""
    previous, start, depth = "", 0, 0
    for token in TOKEN.finditer(head):
        if token["skip"]:
            continue
        word = (token["word"] or b"").decode(errors="replace")
        if previous == "FORMAT" and word:
            return start, word, _after_line(head, token.end())
        depth += {b"(": 1, b")": -1}.get(token["other"] or b"", 0)
        previous = word.upper() if depth == 0 else ""
        if previous in NO_DATA_FOLLOWS:
            return None
        start = token.start()
    return None


def _after_line(head: bytes, end: int) -> int:
    """Skip blanks and one line end, as ClickHouse does: the data may begin with more of them."""
    while head[end : end + 1] in (b" ", b"\t", b"\r"):
        end += 1
    return end + 1 if head[end : end + 1] == b"\n" else end
