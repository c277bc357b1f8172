"""What is proposed for a file, and what remains to be asked: plain values between looking and writing."""

from typing import Any, NamedTuple

import msgspec

__all__ = ["Guess", "Proposal", "ProposedSource", "ProposedStatus", "Question"]


class Guess(NamedTuple):
    """What a column is taken for: ``role`` is a field of the contract or a key of the mapping.

    ``confidence`` is from 0 to 1; ``why`` is what speaks for it. ``role`` None: the column is not read.
    """

    column: str
    role: str | None
    confidence: float
    why: str


class Question(NamedTuple):
    """Something that the file cannot tell. ``key`` names what the answer is for, ``choices`` may be empty."""

    key: str
    text: str
    default: str
    choices: tuple[str, ...] = ()


class ProposedSource(msgspec.Struct, frozen=True, kw_only=True):
    """Where a field comes from; the keys are those of a mapping. ``open`` are doubts, one sentence each.

    ``unknown`` are cells for which no word of the contract is known.
    """

    column: str | None = None
    value: Any = None
    moment: str | None = None
    words: dict[str, Any] = {}
    unknown: tuple[str, ...] = ()
    default: str | None = None
    only: dict[str, tuple[str, ...]] = {}
    known: str | None = None
    open: tuple[str, ...] = ()


class ProposedStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The status over time, for log and cases.

    ``unknown`` are cells that should be a status and are not known; ``steps`` are cells that leave it as it is.
    """

    start: str
    row: str | None = None
    end: str | None = None
    column: str | None = None
    words: dict[str, str] = {}
    unknown: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """A whole mapping as proposed. ``moments`` are columns by key; ``open`` are doubts about the whole."""

    kind: str
    layout: str
    source: str
    encoding: str
    delimiter: str
    time_formats: tuple[str, ...]
    subject: str
    moments: dict[str, str]
    status: ProposedStatus | None
    fields: dict[str, ProposedSource]
    guesses: tuple[Guess, ...]
    questions: tuple[Question, ...]
    open: tuple[str, ...]
