"""Everything that is stored and shown against everything that was said, after each seed, from one to the next."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress

import httpx

from contract.registry import KINDS
from nhip.settings import load_tree
from sinks.check import figures_of_marks
from sinks.client import Client
from sinks.store import ClickHouseStore
from streams.clock import US_PER_S
from streams.rows import Partition
from tests.faults.checker import Call, Place, check_alerts, check_entities, check_figures, check_letters
from tests.faults.fleet import ALERT_UNITS, Fleet
from tests.faults.observe import InKafka, alert_states, entity_count, letters_after, read_kafka, stored_rows
from tests.faults.tally import Tally
from tests.faults.truth import Key, Ledger, Said
from tests.faults.waiting import LOOK_S, RECOVERY_S, wait_for
from tests.support.mailbox import WebHook

__all__ = ["Comparison"]


class Comparison:
    """What is settled so far, and how far the topics, the dead letters and the web hook were read."""

    def __init__(self, fleet: Fleet, hook: WebHook, client: Client) -> None:
        self.settled: dict[Key, Said] = {}
        self._fleet = fleet
        self._hook = hook
        self._client = client
        self._store = ClickHouseStore(client)
        self._tree = load_tree(fleet.system.settings)
        self._tally = Tally(self._tree)
        self._letters: set[Place] = set()
        self._ends: dict[tuple[str, int], int] = {}
        self._heard = 0
        self._get = httpx.Client(timeout=10.0)

    def close(self) -> None:
        """Close the connection to the wall."""
        self._get.close()

    def calls(self) -> list[Call]:
        """What the web hook received: who and what stands in the title, the id in the body."""
        found = []
        for call in self._hook.received:
            title = str(call.body.get("title", ""))
            unit = next((word.rstrip(":") for word in title.split() if word.startswith(ALERT_UNITS)), title)
            found.append(Call(call.id, unit, "recovered" if call.body.get("type") == "success" else "fired"))
        return found

    def drained(self, empty: Sequence[Callable[[], bool]]) -> InKafka:
        """Wait until nothing is spooled and all that Kafka has is flushed; return what Kafka has.

        ``empty``: whether each client's spool is.
        """
        for spool in (*empty, self._intake_empty):
            wait_for(spool, "a spool is empty")
        kafka = read_kafka(self._fleet.system.kafka.bootstrap, self._fleet.system.settings.partitions, self._ends)

        def flushed() -> bool:
            at = self._store.flushed_offsets([Partition(*place) for place in kafka.ends])
            return all(at.get(Partition(*place), -1) + 1 >= end for place, end in kafka.ends.items())

        wait_for(flushed, "everything in Kafka is flushed")
        return kafka

    def _intake_empty(self) -> bool:
        with suppress(httpx.HTTPError):
            text = self._get.get(f"http://127.0.0.1:{self._fleet.health['intake']}/metrics").text
            return "\nnhip_intake_spool_records 0.0" in text
        return False

    def compare(self, seed: int, ledger: Ledger, kafka: InKafka, poison: dict[str, str], *, marks: bool) -> list[str]:
        """Return what is wrong after a seed; what is right is settled and where the next one begins."""
        claims = ledger.claims()
        wrong, settled = check_entities(claims, stored_rows(self._client, claims), kafka.newest)
        self._tally.replace((self.settled[key] for key in settled if key in self.settled), settled.values())
        self.settled |= settled
        self._ends = kafka.ends
        if (stored := entity_count(self._client)) != len(self.settled):
            wrong.append(f"{stored} entities are stored, {len(self.settled)} were spoken of")
        letters = letters_after(self._client, self._letters)
        wrong += check_letters(poison, kafka.poison, letters)
        self._letters |= {letter.place for letter in letters}
        wrong += self._figures(marks=marks)
        calls = self.calls()
        unit = f"{ALERT_UNITS}{seed}"
        wrong += check_alerts({unit: ("fired", "recovered")}, calls[self._heard :])
        self._heard = len(calls)
        if (states := alert_states(self._client, f"unit:{unit}")) != ["recovered"]:
            wrong.append(f"alerts of {unit} stand at {states}, there was one and it recovered")
        return wrong

    def _figures(self, *, marks: bool) -> list[str]:
        """Compare until all agree, or say what still differs: on a live system figures are of different moments."""
        deadline_s = time.monotonic() + RECOVERY_S
        while True:
            beat = self._store.heartbeat()
            now_s = 0 if beat is None else beat.as_of_us // US_PER_S
            truth = self._tally.figures(now_s)
            panes = {
                (r.scope, r.indicator, r.window): (r.numerator, r.denominator)
                for r in self._store.sum_panes(now_s, None)
            }
            wrong = check_figures(truth, panes, "panes")
            wrong += check_figures(truth, self._store.rates_now(), "rates")
            wrong += self._wall(truth)
            if not wrong and marks:
                for kind in KINDS:
                    own = {key: value for key, value in truth.items() if key[1] in {i.key for i in kind.indicators}}
                    wrong += check_figures(own, figures_of_marks(self._client, kind, self._tree, now_s), "marks")
            if not wrong or time.monotonic() > deadline_s:
                return wrong
            time.sleep(LOOK_S)

    def _wall(self, truth: dict[tuple[str, str, str], tuple[int, int]]) -> list[str]:
        """Compare what the wall's API shows of the province."""
        try:
            answer = self._get.get(f"http://127.0.0.1:{self._fleet.health['wall']}/api/rates")
        except httpx.HTTPError as error:
            return [f"the wall does not answer: {error}"]
        if answer.status_code != httpx.codes.OK:
            return [f"the wall answers {answer.status_code}: {answer.text[:200]}"]
        shown = {
            (row["scope"], row["indicator"], row["window"]): (row["numerator"], row["denominator"])
            for row in answer.json()
        }
        scope = f"unit:{self._fleet.system.settings.province}"
        return check_figures({key: value for key, value in truth.items() if key[0] == scope}, shown, "the wall")
