"""The background check: what it does about each kind of difference, and about a check that fails."""

import asyncio

import pytest
from structlog.testing import capture_logs

from contract.dossier import DOSSIER
from nhip.selfcheck import CheckError, SelfCheck, _told
from sinks.check import Difference
from streams.patience import Patience
from streams.rows import EpochKey, Partition
from tests.support.memory_store import MemoryStore

HERE, THERE, NEVER = (Partition(DOSSIER.topic, n) for n in range(3))
WHERE = ("unit:75", "on_time", "all")
PANES = Difference(*WHERE, (9, 10), (8, 10), (9, 10), (9, 10))
PUBLISHED = Difference(*WHERE, (8, 10), (9, 10), (9, 10), (9, 10))
MARKS = Difference(*WHERE, (9, 10), (9, 10), (9, 10), (8, 10))


def checked(found: list[Difference] | CheckError) -> tuple[SelfCheck, MemoryStore, list[str]]:
    """A check that finds this, after one run; and the sentences that it logged."""
    store = MemoryStore()
    store.claim([EpochKey(*HERE, 1 << 24), EpochKey(*THERE, 5 << 24)], "worker")

    async def compare() -> list[Difference]:
        if isinstance(found, CheckError):
            raise found
        return found

    check = SelfCheck(store, [HERE, THERE, NEVER], compare, lambda: True, Patience(1.0), 3600.0)
    with capture_logs() as logs:
        asyncio.run(check.check())
    return check, store, [f"{line['log_level']}: {line['event']}" for line in logs]


def epochs(store: MemoryStore) -> list[int]:
    """Newest claims without their random bits."""
    claims = store.newest_claims([HERE, THERE, NEVER])
    return [claims.get(p, 0) >> 24 for p in (HERE, THERE, NEVER)]


@pytest.mark.parametrize("difference", [PANES, PUBLISHED], ids=["panes", "published"])
def test_what_a_rebuild_mends_is_claimed_anew(difference: Difference) -> None:
    """Every partition that was ever owned, by an epoch newer than its own."""
    check, store, said = checked([difference])

    assert epochs(store) == [2, 6, 0]
    assert (check.checks, check.differences) == (1, 1)
    assert said == ["critical: figures differ", "warning: all panes are built anew"]


def test_wrong_marks_are_told_and_left() -> None:
    """A rebuild would make the same panes of them again."""
    check, store, said = checked([MARKS])

    assert epochs(store) == [1, 5, 0]
    assert check.differences == 1
    assert said == [
        "critical: figures differ",
        "critical: stored marks are not those of the snapshots; stop the workers and run `nhip rebuild`",
    ]


def test_nothing_found_changes_nothing() -> None:
    """It counts as a check."""
    check, store, said = checked([])

    assert epochs(store) == [1, 5, 0]
    assert (check.checks, check.differences) == (1, 0)
    assert said == ["info: figures checked"]


def test_a_check_that_cannot_be_made_is_told_and_does_not_count() -> None:
    """Such as while the store is away: the worker goes on."""
    check, _, said = checked(CheckError("exit code 69"))

    assert check.checks == 0
    assert said == ["warning: the figures could not be checked"]


def test_the_document_of_the_command_is_read() -> None:
    """As `nhip check --json` prints it; anything else is no answer."""
    document = (
        b'[{"scope": "unit:75", "indicator": "on_time", "window": "all", "rates_now": [9, 10], "panes": [8, 10],'
        b' "marks": [9, 10], "snapshots": [9, 10]}]'
    )

    assert _told(document) == [PANES]
    with pytest.raises(CheckError):
        _told(b"[{}]")
