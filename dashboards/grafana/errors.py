"""What can go wrong with a Grafana, each with what to do about it."""

__all__ = [
    "GrafanaAnswerError",
    "GrafanaConflictError",
    "GrafanaError",
    "GrafanaRefusedError",
    "GrafanaTooOldError",
    "GrafanaUnreachableError",
    "NotFoundError",
]


class GrafanaError(Exception):
    """Something about the Grafana server; the text says what to do."""


class GrafanaUnreachableError(GrafanaError):
    """Nobody answers at the address, or not in time."""


class GrafanaAnswerError(GrafanaError):
    """What answers is no Grafana, or answers with an error of its own. ``status`` is the HTTP status."""

    def __init__(self, text: str, status: int) -> None:
        super().__init__(text)
        self.status = status


class NotFoundError(GrafanaAnswerError):
    """The object asked for does not exist (404)."""


class GrafanaRefusedError(GrafanaAnswerError):
    """The token is missing, wrong, expired or may not do this (401, 403)."""


class GrafanaConflictError(GrafanaAnswerError):
    """Somebody else changed the object meanwhile (409, 412)."""


class GrafanaTooOldError(GrafanaError):
    """The server is older than what the dashboards are written for."""
