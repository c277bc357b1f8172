"""Figures, the machine they were measured on, and how both are shown."""

import os
import platform
import shlex
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import groupby
from pathlib import Path
from typing import Any

import msgspec
import psutil
from rich.table import Table

from nhip.console import OUT, say
from nhip.local.jars import KAFKA_VERSION

__all__ = ["Figure", "Report", "write"]

PACKAGES = ("nhip", "faust-streaming", "aiokafka", "chdb", "clickhouse-connect", "msgspec")


class Figure(msgspec.Struct, frozen=True):
    """One measured value; with a target, a value at most that is good."""

    part: str
    name: str
    value: float
    unit: str
    target: float | None = None
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None without one."""
        return None if self.target is None else self.value <= self.target


class Report:
    """All figures of one run of one command."""

    def __init__(self, arguments: Sequence[str]) -> None:
        self.figures: list[Figure] = []
        self._command = shlex.join(["python", "-m", "benchmarks", *arguments])
        self._began = datetime.now(UTC)
        self._busy = os.getloadavg()[0]

    def document(self) -> dict[str, Any]:
        """Return everything for a program."""
        return {
            "date": self._began.isoformat(timespec="seconds"),
            "command": self._command,
            "machine": {
                "cpu": _cpu_model(),
                "cores": len(os.sched_getaffinity(0)),
                "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
                "system": f"{platform.system()} {platform.machine()}",
                "load_before": round(self._busy, 2),
                "load_after": round(os.getloadavg()[0], 2),
            },
            "versions": {
                "python": platform.python_version(),
                "kafka": KAFKA_VERSION,
                **{name: version(name) for name in PACKAGES},
            },
            "figures": [{**msgspec.to_builtins(f), "met": f.met} for f in self.figures],
        }

    def print(self) -> None:
        """Print the table with the machine, the versions and the command."""
        document = self.document()
        machine = document["machine"]
        table = Table("figure", "measured", "", "target", "met")
        for n in (1, 3):
            table.columns[n].justify = "right"
        for part, figures in groupby(self.figures, lambda figure: figure.part):
            table.add_section()
            table.add_row(f"[bold]{part}[/bold]")
            for figure in figures:
                table.add_row(
                    f"{figure.name}\n  [dim]{figure.note}[/dim]" if figure.note else figure.name,
                    _shown(figure.value),
                    figure.unit,
                    "" if figure.target is None else f"≤ {_shown(figure.target)}",
                    {None: "", True: "yes", False: "NO"}[figure.met],
                )
        OUT.print(table)
        OUT.print(
            f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gib']} GiB, {machine['system']}; "
            f"load before the run {machine['load_before']}, after it {machine['load_after']}",
            highlight=False,
        )
        OUT.print(", ".join(f"{name} {found}" for name, found in document["versions"].items()), highlight=False)
        OUT.print(f"{document['date']}  {document['command']}", highlight=False)


def write(report: Report, path: Path) -> None:
    """Write the report as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(report.document()), indent=2) + b"\n")
    say(f"written to {path}")


def _shown(value: float) -> str:
    if value >= 1_000:
        return f"{value:,.0f}"
    return f"{value:.0f}" if float(value).is_integer() else f"{value:.2f}"


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        lines = []
    found = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "")
    return found or platform.processor() or platform.machine()
