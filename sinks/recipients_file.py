"""The file of recipients as it is now: read again when it changes, the last good one while it is broken."""

from collections.abc import Callable, Sequence
from pathlib import Path

import structlog

from sinks.recipients import Recipient, Recipients, RecipientsError, load_recipients

__all__ = ["RecipientsFile"]

log = structlog.get_logger()


class RecipientsFile:
    """Answers from config/recipients.toml; each question costs one look at the file's date and size.

    ``above`` gives the units above a unit, the nearest first; ``owner`` the group that owns a source;
    ``known_unit`` which codes exist. A broken file is logged, stands in ``problem``, and the last good one
    answers; at the start that is one without anybody, so that the figures go on.
    """

    def __init__(
        self,
        path: Path,
        *,
        above: Callable[[str], Sequence[str]],
        owner: Callable[[str], str | None],
        known_unit: Callable[[str], bool] | None = None,
    ) -> None:
        self._path = path
        self._above = above
        self._owner = owner
        self._known_unit = known_unit
        self._seen: tuple[int, int, int] | None = None
        self._good = Recipients({}, {}, {})
        self.problem: str | None = None
        """What is wrong with the file as it is now; None: nothing."""
        self._load()

    @property
    def recipients(self) -> Recipients:
        """The recipients of the last good file."""
        if self._stamp() != self._seen:
            self._load()
        return self._good

    def recipient(self, name: str) -> Recipient | None:
        """Return the recipient of that name; None when the file has none (any more)."""
        return self.recipients.recipients.get(name)

    def resolve(self, target: str, scope: str) -> tuple[str, ...]:
        """Return the names behind a target of a rule for a scope, as :meth:`Recipients.resolve` does."""
        return self.recipients.resolve(target, scope, self._above, self._owner)

    def _load(self) -> None:
        self._seen = self._stamp()
        try:
            self._good, warnings = load_recipients(self._path, self._known_unit)
        except RecipientsError as error:
            self.problem = str(error)
            log.critical(
                "recipients not read, the last good ones stay", fault=self.problem, check="nhip alerts check"
            )
            return
        self.problem = None
        log.info("recipients read", file=str(self._path))
        for warning in warnings:
            log.warning("recipients", warning=warning)

    def _stamp(self) -> tuple[int, int, int] | None:
        try:
            stat = self._path.stat()
        except OSError:
            return None
        return stat.st_mtime_ns, stat.st_size, stat.st_ino
