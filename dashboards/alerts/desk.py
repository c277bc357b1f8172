"""What the page behind a signed link asks of the store; ``sinks.alert_store`` answers."""

from collections.abc import Sequence
from typing import Protocol

from sinks.outbox import Pending
from streams.alerts import Action, Alert

__all__ = ["Desk"]


class Desk(Protocol):
    """Reads and writes of one page; every method blocks. Raises StoreUnavailableError."""

    def alert(self, key: str) -> Alert | None:
        """Return the alert with that id as it stands now."""
        ...

    def actions_of(self, alert: Alert) -> Sequence[Action]:
        """Return what was done about it, and the mutes of its rule and scope, oldest first."""
        ...

    def notices_of(self, key: str, limit: int) -> Sequence[Pending]:
        """Return the newest messages about it, the newest first."""
        ...

    def act(self, action: Action) -> None:
        """Record an action for good."""
        ...
