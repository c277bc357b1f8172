"""How well a column's name and cells fit a field of the contract."""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from contract.kind import Kind
from producers.convert import FieldType, field_types
from producers.propose.columns import Column
from producers.propose.proposal import Guess
from producers.propose.vocabulary import COLUMNS, PERSONAL, SUBJECTS, plain

__all__ = ["LEAST", "Fit", "best", "fields_of", "is_personal", "name_fit", "subject_of"]

LEAST: Final = 0.5
"""A guess below this confidence is not made."""

_EXACT: Final = 0.95
_PART: Final = 0.6
_PART_GAIN: Final = 0.25
_GENERAL: Final = 0.8
_WRONG_FORM: Final = 0.3
_EMPTY: Final = 0.7
_SHORT: Final = 4
"""A single word of so many letters says too little as a part of a longer name."""
_MOST_WORDS: Final = 40
_LONGEST_TEXT: Final = 64
_FORMS: Final[Mapping[str, tuple[str, ...]]] = {
    "time": ("time",),
    "integer": ("integer", "decimal"),
    "boolean": ("boolean", "integer", "text"),
    "choice": ("text", "integer", "boolean"),
    "text": ("text", "integer", "decimal", "boolean", "time"),
}


class Fit(NamedTuple):
    """How well something fits, from 0 to 1, and why."""

    confidence: float
    why: str


def name_fit(name: str, phrases: Iterable[str]) -> Fit:
    """Compare a column's name with known names."""
    found = plain(name)
    best_fit = Fit(0.0, "")
    for phrase in phrases:
        if found == phrase or found.replace(" ", "") == phrase.replace(" ", ""):
            return Fit(_EXACT, f"the name is {phrase!r}")
        single = " " not in phrase
        if f" {phrase} " in f" {found} " and not (single and len(phrase) <= _SHORT):
            share = len(phrase.split()) / len(found.split())
            fit = Fit(_PART + _PART_GAIN * share, f"the name contains {phrase!r}")
            best_fit = max(best_fit, fit)
    return best_fit


def best(columns: Iterable[Column], phrases: Iterable[str], form: str | None = None) -> Guess | None:
    """Return the column whose name fits best, of a form if one is given; ``role`` is left open."""
    known = tuple(phrases)
    found = None
    for column in columns:
        fit = name_fit(column.name, known)
        if form is not None and column.form != form:
            continue
        if fit.confidence >= LEAST and (found is None or fit.confidence > found.confidence):
            found = Guess(column.name, None, fit.confidence, fit.why)
    return found


def is_personal(column: Column) -> bool:
    """Tell whether a column is about persons, by its name."""
    return name_fit(column.name, PERSONAL).confidence >= LEAST


def fields_of(kind: Kind, columns: Iterable[Column]) -> dict[str, Guess]:
    """Return the best column for each field of a kind; a column fills one field at most."""
    fits = [
        (fit, column, name)
        for column in columns
        for name, field in field_types(kind.snapshot).items()
        if (fit := _field_fit(column, field)).confidence >= LEAST
    ]
    fits.sort(key=lambda found: -found[0].confidence)
    chosen: dict[str, Guess] = {}
    taken: set[str] = set()
    for fit, column, name in fits:
        if name not in chosen and column.name not in taken:
            chosen[name] = Guess(column.name, name, fit.confidence, fit.why)
            taken.add(column.name)
    return chosen


def subject_of(kind: Kind, columns: Iterable[Column]) -> Guess | None:
    """Return the column that holds the entity's code; None when every column has gaps."""
    full = [c for c in columns if c.rows and not c.empty and c.longest <= _LONGEST_TEXT]
    found = best(full, SUBJECTS.get(kind.key, ()))
    if found is not None:
        return found._replace(role="subject")
    others = tuple(phrase for phrases in SUBJECTS.values() for phrase in phrases)
    found = best(full, others)
    if found is not None:
        return found._replace(role="subject", confidence=found.confidence * _GENERAL)
    for column in full:
        if column.unique and column.form in {"text", "integer"}:
            return Guess(column.name, "subject", LEAST, "every row has a cell of its own")
    return None


def _field_fit(column: Column, field: FieldType) -> Fit:
    fit = name_fit(column.name, (*COLUMNS.get(field.name, ()), field.name.replace("_", " "), *_bare(field.name)))
    if fit.confidence < LEAST:
        return fit
    if column.form == "empty":
        return Fit(fit.confidence * _EMPTY, f"{fit.why}; all cells are empty")
    if column.form not in _FORMS[field.form]:
        return Fit(fit.confidence * _WRONG_FORM, f"{fit.why}; but the cells are {column.form}")
    if field.form in {"choice", "boolean"} and column.distinct > _MOST_WORDS:
        return Fit(fit.confidence * _WRONG_FORM, f"{fit.why}; but there are {column.distinct} different cells")
    if field.form == "text" and column.longest > _LONGEST_TEXT:
        return Fit(fit.confidence * _WRONG_FORM, f"{fit.why}; but cells are longer than {_LONGEST_TEXT}")
    return Fit(fit.confidence, f"{fit.why}; the cells are {column.form}")


def _bare(name: str) -> tuple[str, ...]:
    """``issued_at`` is also known as ``issued``; ``amount_vnd`` as ``amount``."""
    stem, _, end = name.rpartition("_")
    return (stem.replace("_", " "),) if end in {"at", "vnd", "s"} and stem else ()
