"""What every kind of source gives: pages of rows, and what is to be remembered of them."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from producers.files import NumberedRow
from producers.poll.errors import SourceChangedError
from producers.refusal import Refusal

__all__ = ["Page", "Source", "check_columns"]


class Page(NamedTuple):
    """Some rows of a round, few enough for memory.

    ``columns``: those that the source has here; None if the page cannot tell (it is empty, or unchanged).
    ``memo``: what the next round needs, by key; of one key the last counts.
    """

    rows: Sequence[NumberedRow | Refusal]
    columns: Collection[str] | None
    memo: Mapping[str, str]


class Source(Protocol):
    """Something that has only state."""

    name: str
    """For messages; without secrets."""
    incremental: bool
    """Whether a round that is not full may leave out rows that have not changed."""

    def pages(self, memo: Mapping[str, str], *, full: bool, began: datetime) -> Iterator[Page]:
        """Read one round that began at ``began``; ``full``: everything, whatever ``memo`` says.

        ``memo`` is what the pages of the last finished round gave. Raises SourceUnreachableError,
        SourceAnswerError, SourceChangedError.
        """
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...


def check_columns(where: str, wanted: Collection[str], present: Collection[str], mapping: str, remedy: str) -> None:
    """Raise SourceChangedError when a column that the mapping reads is missing."""
    missing = [column for column in wanted if column not in present]
    if missing:
        raise SourceChangedError(
            f"{where}: has no column {', '.join(map(repr, missing))} that the mapping {mapping} reads; it has "
            f"{', '.join(map(repr, present))}: {remedy}"
        )
