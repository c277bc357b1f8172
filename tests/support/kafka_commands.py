"""The program's commands as the users of a broker behind doors run them."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import msgspec
import psutil
from tenacity import Retrying, stop_after_delay, wait_fixed

from nhip.drain import wait_until_counted
from nhip.kafka_access import backlog_of
from nhip.local.ports import HOST, free_ports
from nhip.settings import load_settings
from nhip.store import open_client, open_store
from sinks.audit import Act, acts
from streams.clock import ClockMode
from tests.conftest import Database
from tests.support.secure_kafka import OPERATOR, SecureKafka

__all__ = ["UNIT", "Commands"]

PATIENCE_S = 150.0
UNIT = "01"
"""Of this one only the pipeline's events are."""
ROOT = Path(__file__).parents[2]


class Commands:
    """The program's commands as their users run them: what they said, and what stood in the process list."""

    def __init__(self, broker: SecureKafka, database: Database, folder: Path) -> None:
        self._broker = broker
        self._database = database
        self._folder = folder
        (self.port,) = free_ports(1)
        self.said: list[str] = []
        self.listed: set[str] = set()

    def environment(self, user: str, *, by_file: bool = True) -> dict[str, str]:
        """Return the settings of a user; its password by file or in the environment."""
        password = self._folder / f"{user}.password"
        password.write_text(self._broker.passwords[user])
        password.chmod(0o600)
        settings = {
            **self._database.settings,
            "kafka": self._broker.bootstrap,
            "kafka_security": "sasl_ssl",
            "kafka_user": user,
            "kafka_ca_file": str(self._broker.authority.file),
            "clock": "event",
            "log_level": "debug",
            **({"kafka_password_file": str(password)} if by_file else {"kafka_password": password.read_text()}),
        }
        return {**os.environ, "PYTHONPATH": str(ROOT), **{f"NHIP_{n.upper()}": v for n, v in settings.items()}}

    def start(self, user: str, *arguments: str, by_file: bool = True) -> "subprocess.Popen[str]":
        """Start a command."""
        return subprocess.Popen(
            [sys.executable, "-m", "nhip", *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=self._folder,
            env=self.environment(user, by_file=by_file),
        )  # fmt: skip

    def end(self, process: "subprocess.Popen[str]") -> tuple[int, str]:
        """Wait for a command, looking at the process list meanwhile; return its exit code and all it said."""
        while process.poll() is None and process.stdout is not None:
            try:
                self.listed |= {" ".join(psutil.Process(process.pid).cmdline())}
                process.wait(0.2)
            except (psutil.Error, subprocess.TimeoutExpired):
                continue
        said, _ = process.communicate(timeout=PATIENCE_S)
        self.said.append(said)
        return process.returncode, said

    def run(self, user: str, *arguments: str, by_file: bool = True) -> tuple[int, str]:
        """Run a command to its end."""
        return self.end(self.start(user, *arguments, by_file=by_file))

    def post(self, token: str, event: Any) -> int:
        """Send one event to the intake as soon as it answers; return the answer's status."""
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        for attempt in Retrying(stop=stop_after_delay(PATIENCE_S), wait=wait_fixed(0.2), reraise=True):
            with attempt:
                url = f"http://{HOST}:{self.port}/v1/events"
                return httpx.post(url, content=msgspec.json.encode(event), headers=headers, timeout=30).status_code
        raise AssertionError

    def acts(self) -> list[Act]:
        """Return what was noted in the audit trail."""
        client = open_client(load_settings(self.environment(OPERATOR)))
        found = acts(client, 10)
        client.close()
        return list(found)

    def counted(self) -> tuple[int, int]:
        """Return the share of dossiers filed online in UNIT, once all is counted."""
        settings = load_settings(self.environment(OPERATOR))
        store = open_store(settings)
        with backlog_of(settings) as backlog:
            wait_until_counted(backlog, store, ClockMode(settings.clock), PATIENCE_S, lambda *_: None, lambda: None)
        rates = store.rates_now()
        store.client.close()
        return rates[f"unit:{UNIT}", "online", "all"]
