"""Room on the disk for an insert, required by ourselves: the engine takes a streamed block that it cannot write.

Measured with chdb 26.9 on a full disk (tests/faults found it): 999 inserts were answered as written and none was
stored, since what goes wrong when a streamed insert is finished is not told. Ordinary statements tell it (code 243).
"""

import os
from pathlib import Path

__all__ = ["FREE_AFTER_BYTES", "FREE_BEFORE_BYTES", "free_bytes"]

FREE_BEFORE_BYTES = 128 * 1024 * 1024
"""An insert begins only with so much room; the largest flush of a worker needs about 20 MiB."""
FREE_AFTER_BYTES = 64 * 1024 * 1024
"""It counts as stored only if there still is so much when it ends: then there was room all the time, unless others
filled and emptied the disk in between."""


def free_bytes(folder: Path) -> int:
    """Return how much may still be written to the disk of a folder."""
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize
