"""The inbox: full by records, not by batches."""

import asyncio

from streams.inbox import Batch, Inbox
from streams.rows import Partition
from tests.support.events import FakeRecord

HERE = Partition("nhip.dossiers", 0)


def batch(records: int) -> Batch:
    """So many records of one partition."""
    return Batch(HERE, 1, [FakeRecord(n, b"k", b"v") for n in range(records)])


def test_many_small_batches_do_not_fill_it() -> None:
    """It is full with the record that reaches the bound, and has room again once enough are taken."""
    inbox = Inbox(10)
    for _ in range(9):
        inbox.put_nowait(batch(1))
    before = inbox.full()
    inbox.put_nowait(batch(3))
    full = inbox.full()
    for _ in range(3):
        inbox.get_nowait()

    assert (before, full, inbox.full()) == (False, True, False)
    assert inbox.qsize() == 7


def test_putting_waits_until_there_is_room() -> None:
    """A large batch holds up the next one; an empty one, which only wakes, takes no room."""

    async def play() -> list[int]:
        inbox, done = Inbox(5), list[int]()

        async def put(records: int) -> None:
            await inbox.put(batch(records))
            done.append(records)

        await put(8)
        waiting = asyncio.create_task(put(2))
        await asyncio.sleep(0)
        done.append(-len((await inbox.get()).records))
        await waiting
        await put(0)
        await put(4)
        return done

    assert asyncio.run(play()) == [8, -8, 2, 0, 4]
