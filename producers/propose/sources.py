"""Where each field of the proposal comes from, with the doubts that remain."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from contract.kind import Kind
from producers.convert import FieldType, field_types
from producers.propose.columns import Column, constant_within
from producers.propose.proposal import Guess, ProposedSource, ProposedStatus, Question
from producers.propose.vocabulary import plain
from producers.propose.words import choices, meanings, yes_or_no

__all__ = ["Sources"]

_UNKNOWN_UNIT: Final = "unknown"
_PLAIN_BOOLEANS: Final = frozenset({"true", "yes", "1", "false", "no", "0"})
_CELLS_ASKED: Final = 30
"""At most so many cells of one column are asked for."""


class Sources:
    """Makes the sources of one file. ``questions`` fills while they are made."""

    def __init__(
        self,
        rows: Sequence[dict[str, str]],
        columns: Mapping[str, Column],
        kind: Kind,
        units: Mapping[str, str],
        subject: str,
        layout: str,
    ) -> None:
        self._rows = rows
        self._columns = columns
        self._kind = kind
        self._units = units
        self._subject = subject
        self._layout = layout
        self._filled: frozenset[str] = frozenset()
        self.questions: list[Question] = []

    def fields(
        self, guesses: Mapping[str, Guess], moments: Mapping[str, str], status: ProposedStatus | None
    ) -> dict[str, ProposedSource]:
        """Return the source of each field, in the order of the contract."""
        found: dict[str, ProposedSource] = {}
        self._filled = frozenset(guesses)
        ends = {column: moment for moment, column in moments.items() if moment in {"start", "end"}}
        for name, field in field_types(self._kind.snapshot).items():
            if name == "status" and self._layout != "snapshots":
                continue
            guess = guesses.get(name)
            if guess is None:
                made = self._without_column(name, field, moments, status)
            elif guess.column in ends:
                made = ProposedSource(moment=ends[guess.column], open=self._odd(self._columns[guess.column]))
            else:
                made = self._from_column(name, field, self._columns[guess.column], moments)
            if made is not None:
                found[name] = made
        return found

    def _from_column(
        self, name: str, field: FieldType, column: Column, moments: Mapping[str, str]
    ) -> ProposedSource | None:
        known = self._known(name, column.name, moments)
        doubts = self._odd(column)
        if name == "unit" or name.endswith("_unit"):
            return self._unit(column, known)
        if field.form == "choice":
            return self._choice(name, field, column, known)
        if field.form == "boolean":
            cells = [cell for cell, _ in column.most]
            if all(cell.lower() in _PLAIN_BOOLEANS for cell in cells):
                return ProposedSource(column=column.name, known=known)
            answers = yes_or_no(cells)
            if not answers.words:
                return None
            return ProposedSource(column=column.name, words=answers.words, unknown=answers.unknown, known=known)
        if field.form == "time" and name not in self._kind.facts and _without_hours(column):
            doubts = (*doubts, "dates without a time: such a day counts as over at its first minute")
        if name.endswith("_vnd") and column.form == "decimal":
            example = f"amounts with decimals, e.g. {_example(column)!r}, and whole đồng are needed"
            doubts = (*doubts, f"{example}: `scale = 1000` reads them as thousands; the rest is then refused")
        return ProposedSource(column=column.name, known=known, open=doubts)

    def _choice(self, name: str, field: FieldType, column: Column, known: str | None) -> ProposedSource | None:
        found = meanings(self._kind, name, [cell for cell, _ in column.most])
        words, unknown = dict(found.words), list(found.unknown)
        if name == "status":
            for cell, word in found.words.items():
                needed = self._kind.needs.get(word)
                if needed is not None and needed not in self._filled:
                    del words[cell]
                    unknown.append(cell)
        allowed = choices(self._kind, name)
        default = "other" if unknown and "other" in allowed else None
        if not words and not field.required:
            return None
        for cell in unknown[:_CELLS_ASKED]:
            text = f"{name}: what does {cell!r} in the column {column.name} mean?"
            self.questions.append(Question(f"fields.{name}.{cell}", text, default or "", allowed))
        return ProposedSource(column=column.name, words=words, unknown=tuple(unknown), default=default, known=known)

    def _unit(self, column: Column, known: str | None) -> ProposedSource:
        cells = [cell for cell, _ in column.most]
        codes = set(self._units.values())
        if all(cell in codes for cell in cells):
            return ProposedSource(column=column.name, known=known)
        words = {cell: self._units[plain(cell)] for cell in cells if plain(cell) in self._units}
        strange = tuple(cell for cell in cells if cell not in words and cell not in codes)
        if words and not strange:
            return ProposedSource(column=column.name, words=words, known=known)
        example = ", ".join(repr(cell) for cell in strange[:3])
        doubt = (
            f"{len(strange)} of {len(cells)} units are not in the list of units, e.g. {example}: "
            "give their codes in a map"
        )
        if column.longest > 64:  # noqa: PLR2004 - the contract's limit of a code
            doubt += " (longer than 64 characters: refused as they are)"
        # Cells that are not in a map are refused, so the map holds every cell, as it stands where unknown.
        every = {**{cell: cell for cell in strange}, **words} if len(cells) == column.distinct <= _CELLS_ASKED else {}
        for cell in strange if every else ():
            self.questions.append(Question(f"fields.unit.{cell}", f"Which unit code has {cell!r}?", cell))
        return ProposedSource(column=column.name, words=every, known=known, open=(doubt,))

    def _without_column(
        self, name: str, field: FieldType, moments: Mapping[str, str], status: ProposedStatus | None
    ) -> ProposedSource | None:
        if name == "unit":
            self.questions.append(
                # No default: whoever only presses Enter has not told it, and the doubt must stay in the file.
                Question("fields.unit", "Which unit do all rows belong to (its code)?", "")
            )
            return ProposedSource(value=_UNKNOWN_UNIT, open=("no column tells the unit: give its code",))
        if field.form == "time" and self._layout == "log" and status is not None and status.column is not None:
            cells = tuple(c for c, word in status.words.items() if self._kind.needs.get(word) == name)
            if cells:
                return ProposedSource(column=moments["row"], only={status.column: cells})
        if not field.required:
            return None
        doubt = (f"no column tells {name}, and nothing counts without it",)
        if field.form == "time":
            return ProposedSource(column=moments.get("row") or moments.get("start"), open=doubt)
        if field.form == "choice":
            allowed = choices(self._kind, name)
            value = "other" if "other" in allowed else allowed[0]
            self.questions.append(Question(f"fields.{name}", f"Which {name} have all rows?", value, allowed))
            return ProposedSource(value=value, open=doubt)
        values: dict[str, Any] = {"integer": 0, "boolean": False}
        return ProposedSource(value=values.get(field.form, "unknown"), open=doubt)

    def _known(self, name: str, column: str, moments: Mapping[str, str]) -> str | None:
        """Return since when: an attribute of a log that never changes is known always; a plan since the start."""
        if self._layout != "log" or not constant_within(self._rows, self._subject, column):
            return None
        plan = name in self._kind.times() and name not in self._kind.facts
        return "start" if plan and "start" in moments else "case"

    def _odd(self, column: Column) -> tuple[str, ...]:
        if not column.odd:
            return ()
        examples = ", ".join(map(repr, column.odd))
        return (f"some cells are no {column.form}, e.g. {examples}: their rows are refused",)


def _example(column: Column) -> str:
    """Return the most frequent cell that is no whole number, or else the most frequent."""
    cells = [cell for cell, _ in column.most]
    return next((cell for cell in cells if cell.partition(".")[2].strip("0")), cells[0])


def _without_hours(column: Column) -> bool:
    cells: Iterable[str] = (cell for cell, _ in column.most)
    return all(":" not in cell and len(cell) <= len("2026-11-22") for cell in cells)
