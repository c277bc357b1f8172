"""A name in the two languages of the screens."""

from typing import NamedTuple

__all__ = ["Text", "same"]


class Text(NamedTuple):
    """One name in both languages of the screens."""

    vi: str
    en: str


def same(text: str) -> Text:
    """Return a name that is the same in both languages, such as a code."""
    return Text(text, text)
