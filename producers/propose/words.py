"""Cells that stand for words of the contract: statuses, channels, yes and no."""

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

import msgspec

from contract.kind import Kind
from producers.convert import words_of
from producers.propose.vocabulary import WORDS, plain

__all__ = ["Meanings", "choices", "meanings", "yes_or_no"]

_YES: Final = frozenset({"co", "yes", "true", "x", "1", "y", "da ky so", "ky so"})
_NO: Final = frozenset({"khong", "no", "false", "0", "n", "chua", "chua ky so"})


class Meanings(NamedTuple):
    """Cells with the word each stands for, and cells for which none is known."""

    words: dict[str, Any]
    unknown: tuple[str, ...]


def choices(kind: Kind, field: str) -> tuple[str, ...]:
    """Return the words that a field of a kind may hold, in alphabetical order; none for other fields."""
    declared = next(f.type for f in msgspec.structs.fields(kind.snapshot) if f.name == field)
    return words_of(msgspec.inspect.type_info(declared))


def meanings(kind: Kind, field: str, cells: Iterable[str]) -> Meanings:
    """Find the word of each cell: by the vocabulary, or the contract's own word."""
    allowed = choices(kind, field)
    known = {plain(word): word for word in allowed}
    for meant, cells_of in WORDS.get(f"{kind.key}.{field}", {}).items():
        if meant in allowed:
            known.update(dict.fromkeys(cells_of, meant))
    words: dict[str, Any] = {}
    unknown: list[str] = []
    for cell in cells:
        word = known.get(plain(cell))
        if word is None:
            unknown.append(cell)
        else:
            words[cell] = word
    return Meanings(words, tuple(unknown))


def yes_or_no(cells: Iterable[str]) -> Meanings:
    """Find the answer of each cell."""
    words: dict[str, Any] = {}
    unknown: list[str] = []
    for cell in cells:
        bare = plain(cell)
        if bare in _YES or bare in _NO:
            words[cell] = bare in _YES
        else:
            unknown.append(cell)
    return Meanings(words, tuple(unknown))
