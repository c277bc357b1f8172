"""What a producer has done so far."""

import msgspec

__all__ = ["Statistics"]


class Statistics(msgspec.Struct, frozen=True, kw_only=True):
    """Counts since the producer was made; what is spooled may be older.

    ``sent``: events taken; ``acknowledged``: those that all in-sync replicas of Kafka have, without a spool as of
    the last flush (to ask of each event costs a tenth of the speed); ``refused``:
    invalid ones, never sent; ``spooled``: events waiting on disk or for it; ``spool_bytes``: their size;
    ``last_error``: why Kafka or the disk did not take something, None when nothing is in the way.
    """

    sent: int = 0
    acknowledged: int = 0
    refused: int = 0
    spooled: int = 0
    spool_bytes: int = 0
    last_error: str | None = None
