"""The spool: order, bounds, and what survives the end of a process."""

import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from producers.errors import SpoolError, SpoolFullError, SpoolInUseError
from producers.spool import Record, Spool, size_of


def record(number: int, size: int = 10) -> Record:
    """A record that tells its number."""
    return Record("t", f"k{number % 3}".encode(), f"{number:05}".encode() + bytes(size))


def numbers(spool: Spool, after: int = 0) -> list[int]:
    """What the spool holds, in its order."""
    return [int(found.record.value[:5]) for found in spool.read(after, 10_000)]


def test_first_in_first_out_across_restarts(tmp_path: Path) -> None:
    """What one opening leaves, the next one finds, in order, with its count and size."""
    spool = Spool(tmp_path / "new" / "spool.db")
    spool.append([record(n) for n in range(5)])
    rows = spool.read(0, 2)
    spool.delete(rows[-1].row)
    spool.close()

    again = Spool(tmp_path / "new" / "spool.db")
    again.append([record(5), Record("t", None, b"00006")])

    assert numbers(again) == [2, 3, 4, 5, 6]
    assert again.count == 5
    assert again.bytes == 4 * size_of(record(0)) + size_of(Record("t", None, b"00006"))
    again.close()


@settings(max_examples=25, deadline=None)
@given(steps=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=12))
def test_rows_follow_each_other(tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, int]]) -> None:
    """Any mixture of appending and deleting equals a list; rows only grow, also after everything was deleted."""
    spool = Spool(tmp_path_factory.mktemp("spool") / "s.db")
    model: list[tuple[int, int]] = []
    next_number = last_row = 0

    for appended, deleted in steps:
        if appended:
            row = spool.append([record(next_number + n) for n in range(appended)])
            assert row - appended >= last_row
            model += [(row - appended + 1 + n, next_number + n) for n in range(appended)]
            next_number, last_row = next_number + appended, row
        if gone := model[:deleted]:
            spool.delete(gone[-1][0])
            model = model[deleted:]

    assert [(f.row, int(f.record.value[:5])) for f in spool.read(0, 100)] == model
    assert spool.count == len(model)
    assert spool.bytes == len(model) * size_of(record(0))
    spool.close()


def test_full(tmp_path: Path) -> None:
    """A spool takes all of a call or none, and takes again once there is room."""
    spool = Spool(tmp_path / "s.db", max_bytes=3 * size_of(record(0)))
    last = spool.append([record(0), record(1)])

    with pytest.raises(SpoolFullError, match="full"):
        spool.append([record(2), record(3)])

    assert numbers(spool) == [0, 1]
    spool.delete(last)
    spool.append([record(2), record(3)])
    assert numbers(spool) == [2, 3]
    spool.close()


def test_one_process_only(tmp_path: Path) -> None:
    """A spool in use says so, to this process and to others, until it is closed."""
    spool = Spool(tmp_path / "s.db")

    with pytest.raises(SpoolInUseError, match="another process uses this spool"):
        Spool(tmp_path / "s.db")
    code = "import sys; from pathlib import Path; from producers.spool import Spool; Spool(Path(sys.argv[1]))"
    other = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "s.db")], capture_output=True, text=True, check=False
    )

    assert "SpoolInUseError" in other.stderr
    spool.close()
    Spool(tmp_path / "s.db").close()


def test_kill_9_keeps_what_was_committed(tmp_path: Path) -> None:
    """A process that is killed right after append() leaves its records and no lock."""
    code = (
        "import os, signal, sys; from pathlib import Path; from producers.spool import Record, Spool\n"
        "Spool(Path(sys.argv[1])).append([Record('t', b'k', b'%05d' % n) for n in range(7)])\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )

    killed = subprocess.run([sys.executable, "-c", code, str(tmp_path / "s.db")], check=False)

    assert killed.returncode == -signal.SIGKILL
    spool = Spool(tmp_path / "s.db")
    assert numbers(spool) == list(range(7))
    spool.close()


def test_what_is_no_spool_is_left_alone(tmp_path: Path) -> None:
    """A file of another kind, or a folder, is named and not touched."""
    file = tmp_path / "notes.txt"
    file.write_text("no database " * 100)

    with pytest.raises(SpoolError, match=r"notes\.txt: is no spool"):
        Spool(file)
    with pytest.raises(SpoolError, match="cannot be opened"):
        Spool(tmp_path)

    assert file.read_text().startswith("no database")


def test_a_full_disk_loses_nothing(tmp_path: Path) -> None:
    """When the file cannot grow, append() says so and the spool still gives what it has."""
    spool = Spool(tmp_path / "s.db")
    spool.append([record(0)])
    (pages,) = spool._db.execute("PRAGMA page_count").fetchone()
    spool._db.execute(f"PRAGMA max_page_count={pages}")

    with pytest.raises(SpoolError, match="free some space") as caught:
        spool.append([record(1, 60_000)])

    assert isinstance(caught.value.__cause__, sqlite3.OperationalError)
    assert (numbers(spool), spool.count) == ([0], 1)
    spool.close()
