"""What is to be simulated: the settings of one run, with the figures they are taken from."""

from datetime import datetime, timedelta, timezone
from typing import Final

import msgspec

from producers.simulate.incidents import Incident

__all__ = ["Plan", "at"]

_VIETNAM: Final = timezone(timedelta(hours=7))


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of a run.

    ``dossiers_per_day`` and the payments are means over all days of a year, as they are published (443,565
    dossiers in 282 days; 22,800 fees and 76,000 land obligations a year). For meetings and documents no figure
    is published: 60 meetings and 400 documents on each working day are this project's choice.
    """

    seed: int = 1
    dossiers_per_day: float = 1_600
    fees_per_year: float = 22_800
    land_per_year: float = 76_000
    meetings_per_workday: float = 60
    documents_per_workday: float = 400
    incidents: tuple[Incident, ...] = ()


def at(moment_s: int) -> datetime:
    """Return a moment as a time of Viet Nam."""
    return datetime.fromtimestamp(moment_s, _VIETNAM)
