"""The values of a JSON text, cut out one by one: an array's elements, or values that follow each other."""

import json
from collections.abc import Iterable, Iterator

__all__ = ["MAX_VALUE_CHARS", "BrokenJsonError", "json_values"]

MAX_VALUE_CHARS = 4_194_304
"""Longest value that is looked for, in characters: far beyond an event, so that a broken file ends soon."""

_decode = json.JSONDecoder().raw_decode
_SPACE = " \t\r\n"


class BrokenJsonError(ValueError):
    """The text is no JSON from here on. ``rest`` is how it goes on, shortened."""

    def __init__(self, text: str, rest: str) -> None:
        super().__init__(text)
        self.rest = rest


def json_values(chunks: Iterable[str]) -> Iterator[str]:
    """Yield the text of each value: the elements if the text begins with ``[``, else value after value.

    Memory is bounded by MAX_VALUE_CHARS and one chunk. Raises BrokenJsonError after the last whole value.
    """
    text = _Text(chunks)
    as_array = text.skip() == "["
    if as_array:
        text.take(1)
        if text.skip() == "]":
            text.take(1)
            _nothing_left(text)
            return
    while text.skip():
        yield text.value()
        if not as_array:
            continue
        sign = text.skip()
        if sign not in {",", "]"}:
            raise BrokenJsonError("a comma or ] was expected", text.rest())
        text.take(1)
        if sign == "]":
            _nothing_left(text)
            return
    if as_array:
        raise BrokenJsonError("the array does not end: the file is cut off", "")


def _nothing_left(text: "_Text") -> None:
    if text.skip():
        raise BrokenJsonError("something follows the end of the array", text.rest())


class _Text:
    """A text that arrives in pieces, and a place in it."""

    def __init__(self, chunks: Iterable[str]) -> None:
        self._chunks = iter(chunks)
        self._buffer = ""
        self._at = 0

    def skip(self) -> str:
        """Pass over white space and return the next character; empty at the end."""
        while True:
            while self._at < len(self._buffer) and self._buffer[self._at] in _SPACE:
                self._at += 1
            if self._at < len(self._buffer):
                return self._buffer[self._at]
            if not self._more():
                return ""

    def take(self, length: int) -> str:
        """Move on by so many characters and return them."""
        found = self._buffer[self._at : self._at + length]
        self._at += length
        return found

    def rest(self) -> str:
        """Return a little of what follows, for a message."""
        return self._buffer[self._at : self._at + 40]

    def value(self) -> str:
        """Cut out the value at this place."""
        while True:
            try:
                _, end = _decode(self._buffer, self._at)
            except (ValueError, RecursionError) as error:
                if isinstance(error, RecursionError) or len(self._buffer) - self._at > MAX_VALUE_CHARS:
                    raise BrokenJsonError(f"no JSON value ends here: {error}", self.rest()) from None
                if not self._more():
                    raise BrokenJsonError(str(error), self.rest()) from None
                continue
            # A number at the end of what is there may go on in the next piece.
            if end == len(self._buffer) and self._more():
                continue
            return self.take(end - self._at)

    def _more(self) -> bool:
        piece = next(self._chunks, None)
        if piece is None:
            return False
        self._buffer = self._buffer[self._at :] + piece
        self._at = 0
        return True
