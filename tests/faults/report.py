"""The report of a run as a document for programs."""

import os
import platform
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec
import psutil

from nhip.local.jars import KAFKA_VERSION
from tests.faults.outcome import Outcome, rows

__all__ = ["document", "joined"]

PACKAGES = ("faust-streaming", "aiokafka", "chdb", "clickhouse-connect", "kafka-python")


def document(outcomes: list[Outcome], command: Sequence[str]) -> dict[str, Any]:
    """Return everything for a program: totals, faults by kind, and every seed."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": "python " + " ".join(command[1:]),
        "commit": _commit(),
        "machine": {
            "cpu": _cpu(),
            "cores": len(os.sched_getaffinity(0)),
            "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
            "load_after": round(os.getloadavg()[0], 2),
        },
        "versions": {
            "python": platform.python_version(),
            "kafka": KAFKA_VERSION,
            **{name: version(name) for name in PACKAGES},
        },
        "seeds": len(outcomes),
        "load_s": round(sum(outcome.load_s for outcome in outcomes)),
        "total_s": round(sum(outcome.total_s for outcome in outcomes)),
        "offered": sum(outcome.offered for outcome in outcomes),
        "accepted": sum(outcome.accepted for outcome in outcomes),
        "unknown": sum(outcome.unknown for outcome in outcomes),
        "records": sum(outcome.records for outcome in outcomes),
        "entities": max((outcome.entities for outcome in outcomes), default=0),
        "poison": sum(outcome.poison for outcome in outcomes),
        "alerts": sum(outcome.alerts for outcome in outcomes),
        "faults": sum(len(outcome.measures) for outcome in outcomes),
        "wrong": [text for outcome in outcomes for text in outcome.wrong],
        "kinds": [{**msgspec.to_builtins(row), "kind": row.kind.value} for row in rows(outcomes)],
        "outcomes": msgspec.to_builtins(outcomes),
    }


def joined(reports: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Put the reports of several runs of one commit together; ValueError when they are of several."""
    commits = {report["commit"] for report in reports}
    if len(commits) != 1:
        raise ValueError(f"reports of several commits: {', '.join(sorted(commits))}")
    outcomes = [outcome for report in reports for outcome in msgspec.convert(report["outcomes"], list[Outcome])]
    whole = document(sorted(outcomes, key=lambda outcome: outcome.seed), ())
    first = max(reports, key=lambda report: str(report["date"]))
    kept = {name: first[name] for name in ("date", "commit", "machine", "versions")}
    return whole | kept | {"command": "` beside `".join(report["command"] for report in reports)}


def _commit() -> str:
    found = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)  # noqa: S607
    return found.stdout.strip() or os.environ.get("NHIP_COMMIT", "unknown")


def _cpu() -> str:
    lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    return next(
        (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine()
    )
