"""All kinds and indicators, by key: the one list that every room reads."""

from contract.document import DOCUMENT
from contract.dossier import DOSSIER
from contract.indicators import Indicator
from contract.kind import Event, Kind
from contract.meeting import MEETING
from contract.payment import PAYMENT

__all__ = ["INDICATORS", "KINDS", "KIND_OF_EVENT", "KIND_OF_TOPIC", "kind"]

KINDS: tuple[Kind, ...] = (DOSSIER, PAYMENT, MEETING, DOCUMENT)
KIND_OF_TOPIC: dict[str, Kind] = {k.topic: k for k in KINDS}
KIND_OF_EVENT: dict[type[Event], Kind] = {k.event: k for k in KINDS}
INDICATORS: dict[str, Indicator] = {i.key: i for k in KINDS for i in k.indicators}


def kind(key: str) -> Kind:
    """Return the kind with that key; KeyError names the known ones."""
    for candidate in KINDS:
        if candidate.key == key:
            return candidate
    raise KeyError(f"unknown kind {key!r}; known: {', '.join(k.key for k in KINDS)}")
