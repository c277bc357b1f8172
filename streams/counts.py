"""What a worker's fold has done so far: plain numbers that the fold adds to and whoever looks reads."""

from dataclasses import dataclass

__all__ = ["FoldCounts"]


@dataclass(slots=True)
class FoldCounts:
    """Counts since the process began.

    Only the event loop writes them, once a flush; other threads may read one number at any time without a lock.
    ``write_s``: seconds spent on writing flushes; ``assignments``: of the consumer group; ``takeovers``: claims with
    a rebuild, ``takeover_s`` their seconds; ``contested``: rebuilds that another worker's late rows made necessary;
    ``refused_commits``: by Kafka.
    """

    events: int = 0
    flushes: int = 0
    write_s: float = 0.0
    dead_letters: int = 0
    assignments: int = 0
    takeovers: int = 0
    takeover_s: float = 0.0
    contested: int = 0
    refused_commits: int = 0

    def flushed(self, events: int, dead_letters: int, write_s: float) -> None:
        """Count a flush that is stored and committed."""
        self.events += events
        self.flushes += 1
        self.dead_letters += dead_letters
        self.write_s += write_s
