"""What goes wrong while a source is polled: every text says what, where and what to do."""

__all__ = [
    "PollConfigError",
    "PollError",
    "SourceAnswerError",
    "SourceChangedError",
    "SourceUnreachableError",
    "StateError",
]


class PollError(Exception):
    """Base of all of them."""


class PollConfigError(PollError):
    """A poll configuration cannot be used. The text names the file, the key and the remedy."""


class StateError(PollError):
    """The file with what was sent cannot be used: another poller has it, or it belongs to another source."""


class SourceUnreachableError(PollError):
    """The source does not answer. The next round asks again."""


class SourceAnswerError(PollError):
    """The source answers, but not with rows: a login page, half a page, the same page again and again."""


class SourceChangedError(PollError):
    """The source no longer has what the configuration names: a column, a table, a path."""
