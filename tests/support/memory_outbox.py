"""The outbox on a list, with the same meaning as the one on ClickHouse: the largest step of a notice counts."""

from collections.abc import Collection, Sequence

from sinks.outbox import FINAL, Delivery, DeliveryState, Pending
from streams.alerts import Notice

__all__ = ["MemoryOutbox"]


class MemoryOutbox:
    """Outbox in memory; ``rows`` holds every state ever recorded, in the order of writing."""

    def __init__(self, notices: Sequence[Notice] = ()) -> None:
        self.notices: dict[str, Notice] = {}
        self.rows: list[tuple[str, Delivery]] = []
        self.write_notices(notices)

    def write_notices(self, notices: Sequence[Notice]) -> None:
        for notice in notices:
            self.notices.setdefault(notice.id, notice)

    def undelivered(self) -> list[Pending]:
        found = [Pending(notice, self.newest(key)) for key, notice in self.notices.items()]
        return [one for one in found if one.delivery is None or one.delivery.state not in FINAL]

    def record(self, notice: Notice, delivery: Delivery) -> None:
        assert notice.id in self.notices
        self.rows.append((notice.id, delivery))

    def fold(self, held: Collection[Notice], overflow: Notice, delivery: Delivery) -> None:
        self.write_notices([overflow])
        self.rows += [(notice.id, delivery) for notice in held]

    def sent_since(self, recipient: str, since_us: int) -> int:
        return sum(
            delivery.state is DeliveryState.SENT
            and delivery.at_us >= since_us
            and self.notices[key].recipient == recipient
            for key, delivery in self.rows
        )

    def newest(self, key: str) -> Delivery | None:
        return max((d for k, d in self.rows if k == key), key=lambda delivery: delivery.step, default=None)

    def states(self, key: str) -> list[DeliveryState]:
        return [delivery.state for k, delivery in self.rows if k == key]
