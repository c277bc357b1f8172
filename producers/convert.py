"""From the text of a cell to the value of a field.

Times without an offset belong to the mapping's time zone. A local time that a change to summer time skips
is shifted forward by the gap (02:30 becomes 03:30); one that occurs twice is taken to be the first. Both
rules are total: every local time has exactly one meaning.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timezone
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from contract.fields import EARLIEST_YEAR, LATEST_YEAR

__all__ = ["ISO", "CellError", "FieldType", "Times", "field_types", "localise", "to_integer", "words_of"]

ISO = "iso"
"""Name of the default time format: any ISO 8601 date or date and time, with or without an offset."""

_NUMBER = re.compile(r"[+-]?[0-9]{1,20}(\.[0-9]{1,20})?", re.ASCII)
_BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_FORMS: dict[type[msgspec.inspect.Type], str] = {
    msgspec.inspect.DateTimeType: "time",
    msgspec.inspect.IntType: "integer",
    msgspec.inspect.BoolType: "boolean",
    msgspec.inspect.LiteralType: "choice",
}
_CACHED_CELLS = 8192
"""How many different texts of one column are remembered: attributes of a case repeat on each of its rows."""


class CellError(ValueError):
    """The text of a cell cannot be the value it should be; the text says why."""


def localise(naive: datetime, zone: ZoneInfo) -> datetime:
    """Give a local time of ``zone`` its offset; gaps shift forward, of two occurrences the first is meant.

    The result has a fixed offset: times that share a zone object would be compared without their offsets.
    """
    # Through UTC: in a gap fold=0 means the offset before it, which lands one gap later on the clock.
    exact = naive.replace(tzinfo=zone, fold=0).astimezone(UTC).astimezone(zone)
    offset = exact.utcoffset()
    return exact.replace(tzinfo=None if offset is None else timezone(offset), fold=0)


class Times:
    """Reads times. ``formats`` are tried in order: ``iso`` or strptime; ``zone`` is for times without."""

    def __init__(self, formats: Sequence[str], zone: ZoneInfo) -> None:
        self._formats = tuple(formats)
        self._zone = zone
        self.parse: Callable[[str], datetime] = lru_cache(_CACHED_CELLS)(self._parse)
        """Read one time; aware, in the offset of the text or of the zone. Raises CellError."""

    def _parse(self, text: str) -> datetime:
        for form in self._formats:
            try:
                found = datetime.fromisoformat(text) if form == ISO else datetime.strptime(text, form)  # noqa: DTZ007
                aware = found if found.tzinfo is not None else localise(found, self._zone)
            except (ValueError, OverflowError):
                continue
            if not EARLIEST_YEAR <= aware.year <= LATEST_YEAR:
                raise CellError(f"{text!r} does not lie in the years {EARLIEST_YEAR} to {LATEST_YEAR}")
            return aware
        raise CellError(f"{text!r} is not a time in the format {' or '.join(self._formats)}")


def to_integer(text: str, scale: int = 1) -> int:
    """Read a decimal number times ``scale`` as a whole number. Raises CellError, also for a remainder."""
    if _NUMBER.fullmatch(text) is None:
        raise CellError(f"{text!r} is not a number (digits, optionally a point and decimals)")
    number = Decimal(text) * scale
    if number != int(number):
        raise CellError(f"{text!r} × {scale} is not a whole number")
    return int(number)


class FieldType:
    """How one field of a snapshot reads cells, derived from its declaration in the contract."""

    def __init__(self, name: str, declared: Any, *, required: bool) -> None:
        self.name = name
        self.required = required
        self._declared = declared
        self.form = _form(msgspec.inspect.type_info(declared))
        """``time``, ``integer``, ``boolean``, ``choice`` or ``text``."""
        self.words = words_of(msgspec.inspect.type_info(declared))
        """What a choice may hold, in alphabetical order; of other forms nothing."""

    def checked(self, value: object) -> Any:
        """Return a value within the contract's limits. Raises CellError."""
        try:
            return msgspec.convert(value, self._declared)
        except msgspec.ValidationError as error:
            why = f" is none of {', '.join(self.words)}" if self.words else f": {error}"
            raise CellError(f"{value!r}{why}") from None

    def constant(self, word: object, times: Times) -> Any:
        """Return a constant of a mapping as a value of this field. Raises CellError."""
        return times.parse(word) if self.form == "time" and isinstance(word, str) else self.checked(word)

    def reader(
        self,
        times: Times,
        *,
        scale: int = 1,
        words: Mapping[str, object] | None = None,
        default: object = None,
    ) -> Callable[[str], Any]:
        """Return a function from a stripped cell to a value, or to None for an empty cell.

        ``words`` maps whole cells to values of this field (an empty cell only if it is among them); a cell
        that is not among them becomes ``default``, or is refused when that is None. The function raises
        CellError.
        """

        def read(text: str) -> Any:
            if words is not None:
                return self._word(text, words, default)
            if text == "":
                return None
            return self.checked(self._read(text, times, scale))

        return lru_cache(_CACHED_CELLS)(read)

    @staticmethod
    def _word(text: str, words: Mapping[str, object], default: object) -> Any:
        if text in words:
            return words[text]
        if text == "":
            return None
        if default is None:
            raise CellError(f"{text!r} is not in the map; known: {', '.join(map(repr, words))}")
        return default

    def _read(self, text: str, times: Times, scale: int) -> object:
        match self.form:
            case "time":
                return times.parse(text)
            case "integer":
                return to_integer(text, scale)
            case "boolean":
                known = _BOOLEANS.get(text.lower())
                if known is None:
                    raise CellError(f"{text!r} is neither {' nor '.join(_BOOLEANS)}: use a map")
                return known
            case _:
                return unicodedata.normalize("NFC", text)


def field_types(snapshot: type[msgspec.Struct]) -> dict[str, FieldType]:
    """Return the fields of a kind's snapshot by name, in declared order."""
    return {f.name: FieldType(f.name, f.type, required=f.required) for f in msgspec.structs.fields(snapshot)}


def words_of(found: msgspec.inspect.Type) -> tuple[str, ...]:
    """Return the words that a declared choice may hold, in alphabetical order; of other types none."""
    if isinstance(found, msgspec.inspect.Metadata):
        return words_of(found.type)
    if isinstance(found, msgspec.inspect.UnionType):
        return next((words for part in found.types if (words := words_of(part))), ())
    if isinstance(found, msgspec.inspect.LiteralType):
        return tuple(word for word in found.values if isinstance(word, str))
    return ()


def _form(found: msgspec.inspect.Type) -> str:
    if isinstance(found, msgspec.inspect.Metadata):
        return _form(found.type)
    if isinstance(found, msgspec.inspect.UnionType):
        return next(_form(t) for t in found.types if not isinstance(t, msgspec.inspect.NoneType))
    return _FORMS.get(type(found), "text")
