"""What a look-up reads of an entity beside its rank: one column, since the store unpacks each one by itself."""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from hashlib import blake2b
from types import GenericAlias
from typing import Any

import msgspec

from contract.kind import Kind
from contract.marks import Mark
from streams.intake import CONTENT_BITS
from streams.rows import Stored

__all__ = ["is_packed_name", "packed_comment", "packed_name", "packed_sql", "unpacked"]

_NAME = re.compile(r"packed_[0-9a-f]{8}")
_CONTENT = (1 << CONTENT_BITS) - 1


@cache
def packed_name(kind: Kind) -> str:
    """Return the column's name. Other marks are another column: none is ever read that was packed in another way."""
    return f"packed_{blake2b(packed_sql(kind).encode(), digest_size=4).hexdigest()}"


def is_packed_name(name: str) -> bool:
    """Whether a column is such a one, of any marks."""
    return _NAME.fullmatch(name) is not None


def packed_sql(kind: Kind) -> str:
    """Return the expression that packs a row: a JSON list of texts and nulls, whatever the server's JSON settings."""
    field = "CAST(field, 'Nullable(String)')" if "field" in kind.snapshot.__struct_fields__ else "NULL"
    marks = [f"toString({name})" for key in _marks(kind) for name in (f"{key}_at", f"{key}_good")]
    return f"toJSONString([toString(offset), toString(epoch), toString(unit), {', '.join([field, *marks])}])"


def packed_comment(kind: Kind) -> str:
    """Say what is packed, in its order."""
    marks = ", ".join(_marks(kind))
    return f"For look-ups, beside the rank: offset, epoch, unit, field, then at and good of the marks {marks}"


def unpacked(kind: Kind, ranks: Iterable[int], texts: Iterable[str]) -> Iterator[Stored]:
    """Read packed rows; version and content are in the rank. Raises msgspec.DecodeError for another packing."""
    decode = _decoder(kind)
    for rank, text in zip(ranks, texts, strict=True):
        offset, epoch, unit, field, *flat = decode(text)
        marks = [None if at is None else Mark(at, good == 1) for at, good in zip(flat[::2], flat[1::2], strict=True)]
        yield Stored(rank >> 64, rank & _CONTENT, unit, field, tuple(marks), offset, epoch)


def _marks(kind: Kind) -> tuple[str, ...]:
    return tuple(indicator.key for indicator in kind.marked)


@cache
def _decoder(kind: Kind) -> Callable[[str], tuple[Any, ...]]:
    form = (int, int, str, str | None, *(int | None, int) * len(kind.marked))
    # The store's JSON has every number as a text.
    return msgspec.json.Decoder(GenericAlias(tuple, form), strict=False).decode
