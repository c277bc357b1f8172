"""A proposal as a commented mapping in TOML. What is open is marked ``# ?``."""

from collections.abc import Iterator, Mapping
from typing import Any

from producers.propose.proposal import Guess, Proposal, ProposedSource, ProposedStatus

__all__ = ["as_toml"]

_STEPS_NAMED = 30
"""So many steps of a log that are no statuses are named."""


def as_toml(proposal: Proposal, origin: str) -> str:
    """Write the mapping; ``origin`` is the file it was made from."""
    return "\n".join(_lines(proposal, origin)) + "\n"


def _lines(proposal: Proposal, origin: str) -> Iterator[str]:
    by_role = {guess.role: guess for guess in proposal.guesses if guess.role}
    asked = {question.key for question in proposal.questions}
    yield f"# Proposed by looking at {origin}. Lines with `# ?` need a person: the file cannot tell."
    yield "# Try it: nhip mapping test FILE --mapping THIS. Every key: docs/mappings.md."
    for doubt in proposal.open:
        yield f"# ? {doubt}"
    yield f"kind = {_text(proposal.kind)}"
    yield f"layout = {_text(proposal.layout)}"
    yield f"source = {_text(proposal.source)}" + ("  # ? name of the system that sends" if "source" in asked else "")
    if proposal.encoding != "utf-8":
        yield f"encoding = {_text(proposal.encoding)}"
    if proposal.delimiter != ",":
        yield f"delimiter = {_text(proposal.delimiter)}"
    if proposal.time_formats != ("iso",):
        yield f"time_formats = [{', '.join(map(_text, proposal.time_formats))}]"
    yield ""
    yield "[subject]"
    yield _told(f"column = {_text(proposal.subject)}", by_role.get("subject"))
    yield ""
    yield "[moments]"
    for key, column in proposal.moments.items():
        guess = next((g for g in proposal.guesses if g.column == column and g.role), None)
        yield _told(f"{key} = {_text(column)}", guess)
    if proposal.status is not None:
        yield from _status(proposal.status, by_role.get("status"))
    for name, source in proposal.fields.items():
        yield from _field(name, source, by_role.get(name), open_here=f"fields.{name}" in asked)
    if not proposal.fields:
        yield from ("", "[fields]")
    unread = [guess for guess in proposal.guesses if guess.role is None]
    if unread:
        yield ""
        yield "# Not read:"
        yield from (f"#   {guess.column}: {guess.why}" for guess in unread)


def _status(status: ProposedStatus, guess: Guess | None) -> Iterator[str]:
    yield ""
    yield "[status]"
    for key in ("start", "row", "end"):
        word = getattr(status, key)
        if word is not None:
            yield f"{key} = {_text(word)}" + ("  # until another row says otherwise" if key == "start" else "")
    if status.column is not None:
        yield _told(f"column = {_text(status.column)}", guess)
        yield f"map = {_table(status.words)}"
        for cell in status.unknown:
            yield f"# ? {_text(cell)} is no known status: rows with it keep the status before"
        if status.steps:
            named = ", ".join(map(_text, status.steps[:_STEPS_NAMED]))
            more = len(status.steps) - _STEPS_NAMED
            yield f"# Rows with other cells keep the status: {named}" + (f" and {more} more" if more > 0 else "")


def _field(name: str, source: ProposedSource, guess: Guess | None, *, open_here: bool) -> Iterator[str]:
    yield ""
    yield f"[fields.{name}]"
    for doubt in source.open:
        yield f"# ? {doubt}"
    if open_here and not source.open:
        yield "# ? nothing in the file tells this"
    if source.column is not None:
        yield _told(f"column = {_text(source.column)}", guess)
    if source.moment is not None:
        yield _told(f"moment = {_text(source.moment)}", guess)
    if source.value is not None:
        yield f"value = {_value(source.value)}"
    yield from _words(source)
    if source.only:
        cells = ((column, f"[{', '.join(map(_text, only))}]") for column, only in source.only.items())
        yield "only = { " + ", ".join(f"{_text(column)} = {only}" for column, only in cells) + " }"
    if source.known is not None:
        yield f"known = {_text(source.known)}"


def _words(source: ProposedSource) -> Iterator[str]:
    if not source.words:
        return
    yield f"map = {_table(source.words)}"
    if source.default is not None:
        yield f"default = {_text(source.default)}"
    for cell in source.unknown:
        become = f"become {source.default}" if source.default else "are refused"
        yield f"# ? {_text(cell)} has no known meaning: cells like it {become}"


def _told(line: str, guess: Guess | None) -> str:
    return line if guess is None else f"{line}  # {guess.confidence:.0%}: {guess.why}"


def _table(words: Mapping[str, Any]) -> str:
    """Write a map on one line: TOML 1.0 knows no inline table of several."""
    return (
        "{ " + ", ".join(f"{_text(cell)} = {_value(word)}" for cell, word in words.items()) + " }" if words else "{}"
    )


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else _text(value)


def _text(text: str) -> str:
    """Write a basic string of TOML."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(s if s.isprintable() else f"\\u{ord(s):04x}" for s in escaped) + '"'
