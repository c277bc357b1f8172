"""Where in a TOML text a key stands. The parser of the standard library keeps no positions."""

import re
from collections.abc import Iterator
from typing import Final

__all__ = ["Place", "lines_of"]

Place = tuple[str, int, str]
"""(table, its number among those of its name from 0, key); the key is empty for the head of the table."""

_HEAD: Final = re.compile(r"\s*\[\[?\s*([\w.\"' -]+?)\s*\]\]?\s*(?:#.*)?")
_KEY: Final = re.compile(r"\s*[\"']?([\w-]+)[\"']?\s*[=.]")
_TOKEN: Final = re.compile(
    r"""\"{3}(?:[^\\]|\\.)*?\"{3,5}|'{3}.*?'{3,5}|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|\#[^\n]*""", re.DOTALL
)


def lines_of(text: str) -> dict[Place, int]:
    """Return the line, from 1, of every table's head and every key in it; ``text`` is valid TOML.

    A table below another, such as ``[rule.title]``, is the key ``title`` of the newest ``rule``.
    """
    found: dict[Place, int] = {}
    table: str | None = ""  # whose keys follow; None: they belong to a key already found
    number = 0
    counts: dict[str, int] = {}
    for n, line in _beginnings(text):
        if head := _HEAD.fullmatch(line):
            name, _, below = re.sub(r"[\s\"']", "", head[1]).partition(".")
            if below:
                found.setdefault((name, max(0, counts.get(name, 0) - 1), below.split(".")[0]), n)
                table = None
            else:
                table, number = name, counts.get(name, 0)
                counts[name] = number + 1
                found[table, number, ""] = n
        elif table is not None and (key := _KEY.match(line)):
            found.setdefault((table, number, key[1]), n)
    return found


def _beginnings(text: str) -> Iterator[tuple[int, str]]:
    """Lines on which no value of an earlier line goes on."""
    depth = 0
    for n, line in enumerate(_TOKEN.sub(_scrubbed, text).split("\n"), 1):
        if depth == 0:
            yield n, line
        if depth or not _HEAD.fullmatch(line):
            depth += sum(line.count(sign) for sign in "[{") - sum(line.count(sign) for sign in "]}")


def _scrubbed(token: re.Match[str]) -> str:
    """Take out of a comment or string what looks like structure; its line breaks stay."""
    if token[0].startswith(('"""', "'''")):
        return "\n" * token[0].count("\n")
    return re.sub(r"[][{}=]", "", token[0])
