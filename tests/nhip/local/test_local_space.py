"""An insert into a disk that is nearly full is refused, before it begins and when it has ended."""

from collections import namedtuple
from pathlib import Path
from typing import Self

import pytest

from nhip.local import engine
from nhip.local.engine import EngineError
from nhip.local.space import FREE_AFTER_BYTES, FREE_BEFORE_BYTES, free_bytes
from nhip.local.statement import parse

Result = namedtuple("Result", "rows_written bytes_written")  # noqa: PYI024 - as the engine's own


class Inserter:
    """Takes a streamed insert and says that it is written, whatever happened; as chdb 26.9 does."""

    def __init__(self) -> None:
        self.data = b""

    def send_insert(self, _sql: str, _form: str) -> "Inserter":
        return self

    def append(self, data: memoryview) -> None:
        self.data += bytes(data)

    def finish(self) -> Result:
        return Result(1, len(self.data))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is open."""


@pytest.mark.parametrize(
    ("room", "begun", "stored"),
    [
        ((FREE_BEFORE_BYTES, FREE_AFTER_BYTES), True, True),
        ((FREE_BEFORE_BYTES - 1, FREE_AFTER_BYTES), False, False),
        ((FREE_BEFORE_BYTES, FREE_AFTER_BYTES - 1), True, False),
        ((0, 0), False, False),
    ],
)
def test_room_before_and_after(
    monkeypatch: pytest.MonkeyPatch, room: tuple[int, int], begun: bool, stored: bool
) -> None:
    """Code 243 (NOT_ENOUGH_SPACE), which writers take for a store that is away: they repeat it."""
    left = iter(room)
    monkeypatch.setattr(engine, "free_bytes", lambda _: next(left))
    inserter = Inserter()
    statement = parse("INSERT INTO t FORMAT CSV\n1\n", b"")

    def insert() -> None:
        engine._insert(inserter, statement, iter([b"1\n"]), {})

    if stored:
        insert()
    else:
        with pytest.raises(EngineError, match="NOT_ENOUGH_SPACE") as caught:
            insert()
        assert caught.value.code == 243
    assert (inserter.data != b"") == begun


def test_room_of_a_folder(tmp_path: Path) -> None:
    """What is left for this user, in bytes."""
    assert free_bytes(tmp_path) > 0
