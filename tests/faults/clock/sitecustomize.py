"""A wall clock that the laboratory can set, in every process that finds this file on its path.

The offset, in nanoseconds, is read at each look from the file named after the worker in the folder ``LAB_CLOCKS``.
Only what asks ``time.time`` or ``time.time_ns`` is deceived; those are what the stream asks. Monotonic clocks stay.
"""

import mmap
import os
import struct
import time
from pathlib import Path

_folder, _name = os.environ.get("LAB_CLOCKS"), os.environ.get("NHIP_INSTANCE")
_file = Path(_folder, _name) if _folder and _name else None

if _file is not None and _file.exists():
    with _file.open("rb") as _opened:
        _offset = mmap.mmap(_opened.fileno(), 8, access=mmap.ACCESS_READ)
    _true_ns = time.time_ns
    _read = struct.Struct("<q").unpack_from

    def _time_ns() -> int:
        return _true_ns() + int(_read(_offset)[0])

    def _time() -> float:
        return _time_ns() / 1e9

    time.time_ns, time.time = _time_ns, _time
