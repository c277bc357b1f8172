"""What ``nhip up`` tells of the parts that it keeps running: live, ready, and how often each was started again."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from nhip.metrics import Sample
from nhip.slot import Slot

__all__ = ["UpHealth"]


class UpHealth(NamedTuple):
    """The parts as they are; to be asked from any thread."""

    slots: Sequence[Slot]

    def ready(self) -> str | None:
        """Return which parts have ended and are started again."""
        away = [slot.name for slot in self.slots if not slot.up]
        return f"not running, started again soon: {', '.join(away)}" if away else None

    def samples(self) -> Iterator[Sample]:
        """Return the numbers as they are now."""
        for slot in self.slots:
            yield Sample("nhip_part_up", slot.up, (slot.name,))
            yield Sample("nhip_part_restarts_total", slot.restarts, (slot.name,))
