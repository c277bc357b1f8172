"""``python -m tests.faults``: run seeds of the laboratory, print what is wrong, write a report."""

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec

from tests.faults.fleet import fleet
from tests.faults.lab import laboratory
from tests.faults.outcome import Outcome
from tests.faults.page import page
from tests.faults.report import document, joined
from tests.faults.schedule import FaultKind, make_schedule
from tests.support.mailbox import WebHook

_DISKS = (FaultKind.STORE_DISK_FULL, FaultKind.SPOOL_DISK_FULL)
MARKS_EVERY = 10


def main(arguments: list[str]) -> int:
    """Run; 0 when nothing is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--seeds", type=int, default=100, help="how many seeds, from --seed on")
    parser.add_argument("--seed", type=int, default=1, help="the first seed")
    parser.add_argument("--seconds", type=float, default=13.0, help="least seconds of load for each seed")
    parser.add_argument("--rate", type=float, default=1_800.0, help="events a second")
    parser.add_argument("--until", type=float, default=0.0, help="begin no seed after so many seconds; 0: no limit")
    parser.add_argument("--only", nargs="*", help="only these kinds of fault, such as WORKER_KILL")
    parser.add_argument("--no-disks", action="store_true", help="mount nothing: no full disks")
    parser.add_argument("--report", type=Path, help="write the report to this file (JSON)")
    parser.add_argument("--page", type=Path, help="write the page of the docs to this file")
    parser.add_argument("--keep", type=Path, help="folder that keeps logs and data")
    parser.add_argument("--join", nargs="+", type=Path, help="run nothing: put the reports of several runs together")
    given = parser.parse_args(arguments)
    if given.join:
        reports = [msgspec.json.decode(report.read_bytes()) for report in given.join]
        _write(joined(reports), given.report, given.page)
        return 0
    kinds = [FaultKind[name] for name in given.only] if given.only else list(FaultKind)
    if given.no_disks:
        kinds = [kind for kind in kinds if kind not in _DISKS]
    outcomes: list[Outcome] = []
    began_s = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="nhip-faults-", ignore_cleanup_errors=True) as scratch, WebHook() as hook:
        folder = given.keep or Path(scratch)
        with (
            fleet(folder, hook.address(), given.seed, disks=not given.no_disks) as running,
            laboratory(running, hook, given.seed, given.rate) as lab,
        ):
            for number in range(given.seeds):
                schedule = make_schedule(given.seed + number, kinds)
                if given.until and time.monotonic() - began_s > given.until:
                    break
                last = number + 1 == given.seeds
                outcome = lab.run(schedule, given.seconds, marks=last or number % MARKS_EVERY == 0)
                outcomes.append(outcome)
                _say(outcome)
                if outcome.wrong:
                    print(schedule, *outcome.wrong[:40], sep="\n", flush=True)
                _write(document(outcomes, sys.orig_argv), given.report, given.page)
                if outcome.wrong and number + 1 < given.seeds:
                    print("what is wrong stays in the store: no further seeds", flush=True)
                    break
    return 1 if any(outcome.wrong for outcome in outcomes) else 0


def _write(report: dict[str, Any], to_json: Path | None, to_page: Path | None) -> None:
    if to_json:
        to_json.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=1) + b"\n")
    if to_page:
        to_page.write_text(page(report), "utf-8")


def _say(outcome: Outcome) -> None:
    faults = ", ".join(f"{m.kind} {m.recovered_s:.1f}" for m in outcome.measures)
    print(
        f"seed {outcome.seed}: {'WRONG' if outcome.wrong else 'good'}; load {outcome.load_s:.0f} s, "
        f"in all {outcome.total_s:.0f} s; {outcome.accepted} of {outcome.offered} accepted, "
        f"{outcome.unknown} unknown, {outcome.entities} entities; recovered after: {faults}",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
