"""One round: read the source, stage what changed, seal, send."""

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec

from contract.kind import Event
from contract.marks import epoch_us
from producers.files import NumberedRow
from producers.plan import Plan
from producers.poll.batch import Newest, compare, staged
from producers.poll.candidate import Candidate, Reader, digest_of
from producers.poll.errors import SourceChangedError
from producers.poll.page import Source
from producers.poll.report import RoundReport, Tally
from producers.poll.state import GONE, PollState, Staged
from producers.refusal import Refusal
from producers.replay import Target

__all__ = ["OnProgress", "RoundPlan", "deliver", "run_round"]

SEND_BATCH = 5000
"""Events between two confirmations by the target."""

ALWAYS_VOIDED = 10
"""So few entities may always vanish at once, whatever share of a small source they are."""

OnProgress = Callable[[int, int, int], None]
"""Gets rows read, events sent and rows refused."""


class RoundPlan(NamedTuple):
    """What a round is to do. ``began``: our clock; ``fingerprint``: of mapping and source as configured.

    ``void``: entities that a full comparison does not find get the status void, unless they are a larger
    share than ``max_void_share``.
    """

    plan: Plan
    began: datetime
    full: bool
    fingerprint: str
    void: bool
    max_void_share: float


def deliver(state: PollState, target: Target, kind: type[Event], on_sent: Callable[[int], None]) -> int:
    """Send the outbox of a sealed round and confirm it batch by batch; return how many events.

    Raises what the target raises: what it had not confirmed stays in the outbox.
    """
    decode = msgspec.json.Decoder(kind).decode
    sent = 0
    while batch := state.outbox(SEND_BATCH):
        for one in batch:
            target.send(decode(one.event))
        target.flush()
        state.confirm(batch)
        sent += len(batch)
        on_sent(sent)
    state.finish({"first_pass_done": "1"})
    return sent


def run_round(
    source: Source, state: PollState, target: Target, todo: RoundPlan, on_progress: OnProgress
) -> RoundReport:
    """Do one round. What an earlier one had sealed is sent first.

    Raises what the source raises: then nothing of the round is sent and nothing advances.
    """
    kind = todo.plan.kind.event
    left = deliver(state, target, kind, lambda _: None) if state.sealed else 0
    reading = _Reading(source, state, todo, on_progress)
    memo = reading.read()
    tally = reading.tally
    known = dict.fromkeys(json.loads(state.fact("columns") or "[]"))
    new_columns = tuple(c for c in tally.columns if known and c not in known)
    facts = {"fingerprint": todo.fingerprint, "columns": json.dumps(list(known | tally.columns))}
    if todo.full:
        facts["full_us"] = str(epoch_us(todo.began))
    changed = state.seal(memo, facts)
    sent = deliver(state, target, kind, lambda n: on_progress(tally.rows, n, tally.refused))
    return tally.report(changed=changed, sent=left + sent, full=todo.full, new_columns=new_columns)


class _Reading:
    """The reading half of a round."""

    def __init__(self, source: Source, state: PollState, todo: RoundPlan, on_progress: OnProgress) -> None:
        self._source = source
        self._state = state
        self._todo = todo
        self._on_progress = on_progress
        self._reader = Reader(todo.plan, todo.began)
        self._began_us = epoch_us(todo.began)
        self._first_pass = state.fact("first_pass_done") is None
        self.tally = Tally()

    def read(self) -> dict[str, str]:
        """Stage the whole round; return what is to be remembered of the pages."""
        number = self._state.begin()
        memo: dict[str, str] = {}
        for page in self._source.pages(self._state.memo(), full=self._todo.full, began=self._todo.began):
            self.tally.columns.update(dict.fromkeys(page.columns or ()))
            self._stage(number, page.rows)
            memo.update(page.memo)
            self._on_progress(self.tally.rows, 0, self.tally.refused)
        if self._todo.full:
            self._look_for_vanished(number)
        return memo

    def _stage(self, number: int, rows: Sequence[NumberedRow | Refusal]) -> None:
        candidates, refused = self._candidates(rows)
        newest = Newest.of(candidates)
        known = self._state.known(newest.candidates)
        compared = compare(
            newest.candidates,
            known,
            self._state.staged(newest.candidates),
            number,
            self._began_us,
            first_pass=self._first_pass,
        )
        self.tally.duplicates += newest.duplicates + compared.duplicates
        same = [(c, known[c.event.subject].version) for c in compared.unchanged]
        kept = ((c.event.subject, staged(c, version, number).event) for c, version in same)
        self._state.stage(
            number,
            compared.changed,
            ((c.event.subject, c.stated) for c in compared.unchanged),
            refused,
            kept if self._todo.void and self._todo.full else (),
        )

    def _candidates(self, rows: Sequence[NumberedRow | Refusal]) -> tuple[list[Candidate], list[str]]:
        """Read rows; return what they say, and the codes of rows that are refused."""
        found: list[Candidate] = []
        refused: list[str] = []
        for row in rows:
            self.tally.rows += 1
            if isinstance(row, Refusal):
                self.tally.refuse(row, None)
                continue
            candidate = self._reader.read(*row)
            if not isinstance(candidate, Refusal):
                found.append(candidate)
                continue
            subject = self._reader.subject(row[1])
            self.tally.refuse(candidate, subject)
            if subject is not None:
                refused.append(subject)
        return found, refused

    def _look_for_vanished(self, number: int) -> None:
        """Count the entities that are no longer there; void them where that is asked for and safe."""
        gone = self.tally.vanished = self._state.count_vanished(number)
        # A row whose code cannot be read may be any of them.
        if not gone or not self._todo.void or self.tally.unreadable_codes:
            return
        known = self._state.count()
        if gone > max(ALWAYS_VOIDED, known * self._todo.max_void_share):
            raise SourceChangedError(
                f"{self._source.name}: {gone} of {known} entities have vanished at once, more than the share "
                f"{self._todo.max_void_share:g}: nothing was voided; if it is right raise max_void_share for a round"
            )
        after = ""
        while batch := self._state.vanished(number, after, SEND_BATCH):
            after = batch[-1][0]
            voids = [self._voided(version, event) for _, version, event in batch if event is not None]
            self.tally.voided += len(voids)
            self._state.stage(number, voids, (), ())

    def _voided(self, version: int, event: bytes) -> Staged:
        last = msgspec.json.decode(event, type=self._todo.plan.kind.event)
        void = msgspec.structs.replace(
            last, time=self._todo.began, data=msgspec.structs.replace(last.data, status="void")
        )
        return staged(Candidate(void, digest_of(void), None), max(self._began_us, version + 1), GONE)
