"""From the columns of a file to a mapping: kind, layout, subject, moments, status, fields, each with its reason."""

from collections.abc import Mapping, Sequence
from typing import Final

from contract.kind import Kind
from contract.registry import KINDS
from producers.propose.columns import Column, profile
from producers.propose.match import LEAST, best, fields_of, is_personal, name_fit, subject_of
from producers.propose.proposal import Guess, Proposal, ProposedStatus, Question
from producers.propose.sniff import FileForm
from producers.propose.sources import Sources
from producers.propose.vocabulary import ACTIVITY, CHANGED, STARTED, plain
from producers.propose.words import choices, meanings

__all__ = ["propose"]

_COMMON: Final = 0.3
"""Weight of a field that several kinds have, when the kind is chosen."""
_NAMED: Final = 2.0
"""Weight of a kind's own name or subject among file and columns."""
_FIRST_STATUS: Final = {"dossier": "accepted", "payment": "due", "meeting": "invited", "document": "draft"}
"""Status of a case at its start, of each kind."""
_LATER_STATUS: Final = {"dossier": "processing"}


def propose(
    rows: Sequence[dict[str, str]], name: str, form: FileForm, units: Mapping[str, str], kind: Kind | None = None
) -> Proposal:
    """Propose a mapping for the rows of a file (some thousand are enough).

    ``name`` is the file's name without its ending, ``units`` gives known unit codes by plain name and by code.
    The kind is chosen unless given.
    """
    columns = profile(rows)
    chosen = kind or _kind(columns, name)
    return _Look(rows, columns, chosen, units).proposal(name, form)


def _kind(columns: Sequence[Column], name: str) -> Kind:
    """Return the kind whose fields the columns fill best; fields that many kinds have count less."""
    usual = [f for kind in KINDS for f in kind.snapshot.__struct_fields__]

    def score(kind: Kind) -> float:
        found = fields_of(kind, columns)
        points = sum(g.confidence * (1.0 if usual.count(field) == 1 else _COMMON) for field, g in found.items())
        words = (plain(kind.name_vi), plain(kind.name_en), kind.key)
        named = name_fit(name, words).confidence >= LEAST
        subject = subject_of(kind, columns)
        own = subject is not None and "contains" not in subject.why and subject.confidence > _COMMON * 3
        return points + _NAMED * named + own

    return max(KINDS, key=score)


class _Look:
    """One look at a file with its kind known."""

    def __init__(
        self, rows: Sequence[dict[str, str]], columns: Sequence[Column], kind: Kind, units: Mapping[str, str]
    ) -> None:
        self._kind = kind
        self._columns = {column.name: column for column in columns}
        self._personal = [c.name for c in columns if is_personal(c) and not self._exact(c)]
        usable = [c for c in columns if c.name not in self._personal]
        subject = subject_of(kind, usable)
        self._subject = subject or Guess(columns[0].name, "subject", 0.0, "no column looks like a code")
        rest = [c for c in usable if c.name != self._subject.column]
        self._guesses = fields_of(kind, rest)
        free = [c for c in rest if c.name not in {g.column for g in self._guesses.values()}]
        self._row = best(free, CHANGED, "time")
        self._activity = best(free, ACTIVITY, "text")
        self._start = self._guesses.get(_start_field(kind)) or best(free, STARTED, "time")
        self._late = next(iter(kind.needs.values()), None)
        self._end = self._guesses.get(self._late or "")
        self._open: list[str] = [] if subject else ["no column looks like the code of an entity: name it"]
        self._layout = self._laid_out()
        self._sources = Sources(rows, self._columns, kind, units, self._subject.column, self._layout)

    def _exact(self, column: Column) -> bool:
        return any(g.confidence > 0.9 for g in fields_of(self._kind, [column]).values())  # noqa: PLR2004

    def _laid_out(self) -> str:
        subject = self._columns[self._subject.column]
        repeated = subject.distinct < subject.rows - subject.empty
        if repeated and self._row:
            return "log"
        if repeated:
            self._open.append(
                f"{subject.name} repeats, yet no column says when a row happened: of each code only one row counts"
            )
        if "status" in self._guesses and self._row:
            return "snapshots"
        if self._start:
            if "status" in self._guesses:
                column = self._guesses["status"].column
                self._open.append(
                    f"{column} is not read: no column tells when it changed, so the status follows from start and "
                    "end. With such a column use the layout snapshots"
                )
            return "cases"
        if not self._row:
            times = [c for c in self._columns.values() if c.form == "time"]
            first = max(times, key=lambda c: -c.empty, default=subject)
            self._row = self._end or Guess(first.name, "row", 0.0, "the only time there is")
            self._open.append(f"{self._row.column} is taken for the time of a row; rows without it are refused")
        return "snapshots"

    def proposal(self, name: str, form: FileForm) -> Proposal:
        """Put everything together."""
        full = self._layout == "snapshots"
        moments: dict[str, str] = {}
        if self._start and not full:
            moments["start"] = self._start.column
        if self._row and self._layout != "cases":
            moments["row"] = self._row.column
        if self._end and not full:
            moments["end"] = self._end.column
        status = None if full else self._status()
        fields = self._sources.fields(self._guesses, moments, status)
        questions = list(self._questions(name, status))
        used = {self._subject.column: self._subject}
        used |= {g.column: g._replace(role=role) for role, g in self._roles(status)}
        guesses = [used.get(c, Guess(c, None, 1.0, self._unused(c))) for c in self._columns]
        times = [f for g in guesses if g.role for f in self._columns[g.column].formats]
        return Proposal(
            kind=self._kind.key,
            layout=self._layout,
            source=f"export/{plain(name).replace(' ', '-')[:100] or 'file'}",
            encoding=form.encoding,
            delimiter=form.delimiter,
            time_formats=tuple(dict.fromkeys(times)) or ("iso",),
            subject=self._subject.column,
            moments=moments,
            status=status,
            fields=fields,
            guesses=tuple(guesses),
            questions=(*questions, *self._sources.questions),
            open=tuple(self._open),
        )

    def _roles(self, status: ProposedStatus | None) -> list[tuple[str, Guess]]:
        full = self._layout == "snapshots"
        roles = [(name, guess) for name, guess in self._guesses.items() if full or name != "status"]
        column = self._status_column()
        if column and status is not None and status.column == column.column:
            roles.append(("status", column))
        if self._row and self._layout != "cases":
            roles.append(("moments.row", self._row))
        if self._start and self._start.role is None and self._layout != "snapshots":
            roles.append(("moments.start", self._start))
        return roles

    def _unused(self, column: str) -> str:
        if column in self._personal:
            return "about a person: never read"
        found = self._columns[column]
        return (
            f"no field of the contract fits ({found.form}, {found.distinct} different, {found.share_empty:.0%} empty)"
        )

    def _status_column(self) -> Guess | None:
        return self._guesses.get("status") or self._activity

    def _status(self) -> ProposedStatus:
        kind, needs = self._kind, self._kind.needs
        start = _FIRST_STATUS[kind.key]
        end = next(iter(needs), None) if self._end else None
        column = self._status_column() if self._layout == "log" else None
        if column is None:
            return ProposedStatus(start=start, end=end, row=_later(kind) if self._layout == "log" else None)
        found = meanings(kind, "status", [cell for cell, _ in self._columns[column.column].most])
        by_activity = "status" not in self._guesses
        if by_activity and not found.words:
            return ProposedStatus(start=start, end=end, row=_later(kind))
        return ProposedStatus(
            start=start,
            end=end,
            row=_later(kind) if by_activity else None,
            column=column.column,
            words=found.words,
            # Steps of a log that are no statuses are ordinary; statuses that nobody knows are not.
            unknown=() if by_activity else found.unknown,
            steps=found.unknown if by_activity else (),
        )

    def _questions(self, name: str, status: ProposedStatus | None) -> list[Question]:
        default = f"export/{plain(name).replace(' ', '-')[:100] or 'file'}"
        asked = [Question("source", "Which system does the file come from?", default)]
        for cell in status.unknown if status else ():
            text = f"Which status is {cell!r}?"
            asked.append(Question(f"status.{cell}", text, "", choices(self._kind, "status")))
        return asked


def _start_field(kind: Kind) -> str:
    """Return the field that says when an entity began: the first fact that no status needs, else a plan."""
    early = [name for name in kind.facts if name not in kind.needs.values()]
    return early[0] if early else "starts_at"


def _later(kind: Kind) -> str | None:
    return _LATER_STATUS.get(kind.key)
