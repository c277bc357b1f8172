"""The whole system as processes: three brokers, the engine, three workers, intake and wall, and who restarts them.

The supervisor is the product's own (``nhip.system.System.watch``). Workers reach the store through the proxy.
"""

import ctypes
import mmap
import os
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import psutil

from nhip.local.ports import free_ports
from nhip.local.process import ServiceProcess
from nhip.settings import Settings
from nhip.system import System, SystemPlan
from producers.intake import IntakeTokenFile
from producers.intake.grants import Limits
from tests.faults.proxy import Proxy
from tests.faults.schedule import BROKERS, WORKERS

__all__ = ["ALERT_UNITS", "Fleet", "fleet"]

ALERT_UNITS = "LAB-A."
WATCH_S = 0.25
CLOCK = Path(__file__).parent / "clock"
DISK_MB, SPOOL_MB = 4096, 64
_NEW_MOUNTS = 0x00020000
_RULES = f"""
[[rule]]
id = "lab"
indicator = "on_time"
window = "all"
scope = "unit:{ALERT_UNITS}*"
below = 0.9
recover = 0.95
minimum_n = 5
for = "1s"
severity = "critical"
to = ["lab"]
title = {{ vi = "{{unit}}", en = "{{unit}}" }}
"""


_UNITS = f"""code,parent,kind,name_vi,name_en,valid_from,valid_to
75,,province,Tỉnh,Province,2025-07-01,
25195,75,ward,Phường A,Ward A,2025-07-01,
25217,75,ward,Phường B,Ward B,2025-07-01,
25222,75,commune,Xã C,Commune C,2025-07-01,
LAB-1,25222,ward,Tổ D,Group D,2025-07-01,
{ALERT_UNITS}0,,ward,Báo động,Alerts,2025-07-01,
"""


class Fleet:
    """What runs, and how to strike it. ``said``: what the supervisor said, with the monotonic second."""

    def __init__(self, system: System, proxy: Proxy, folder: Path, *, disks: bool) -> None:
        self.system = system
        self.proxy = proxy
        self.folder = folder
        self.disks = disks
        self.said: list[tuple[float, str]] = []
        self.direct = system.settings
        """The settings of who reaches the store past the proxy."""
        self.health: dict[str, int] = {}
        self.token = ""
        self._parts: dict[str, ServiceProcess] = {}
        self._lock = threading.Lock()

    def pid(self, name: str) -> int | None:
        """Process number of a part, not of its guard; None while it does not run."""
        with self._lock:
            guard = self._parts[name]._process
            if guard is None or not self._parts[name].alive:
                return None
            children = psutil.Process(guard.pid).children()
            return children[0].pid if children else None

    def strike(self, name: str, number: int) -> bool:
        """Send a signal to a part; False when it is not running just now."""
        pid = self.pid(name)
        if pid is None:
            return False
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return False
        return True

    def jump(self, worker: int, seconds: float) -> None:
        """Set the wall clock of a worker off by so much; 0 sets it right."""
        place = self.folder / "clocks" / f"{self.system.settings.group}-{worker}"
        with place.open("r+b") as file, mmap.mmap(file.fileno(), 8) as clock:
            clock[:] = struct.pack("<q", int(seconds * 1e9))

    def lose_broker(self, number: int) -> None:
        """Kill a broker (-9) so that the supervisor leaves it dead: until this returns it does not look."""
        with self._lock:
            self.system.kafka.kill_broker(number)

    def lose_store(self) -> None:
        """Kill the store (-9) likewise."""
        with self._lock:
            self.system.store.kill()

    def leave_space(self, name: str, mb: int) -> None:
        """Let a file system have so much room left."""
        place = self.folder / name
        self._resize(place, f"{_used_kb(place) + mb * 1024}k")

    def empty_disk(self, name: str) -> None:
        """Give a file system its old size again."""
        self._resize(self.folder / name, f"{DISK_MB if name == 'store' else SPOOL_MB}m")

    def _resize(self, place: Path, size: str) -> None:
        subprocess.run(["mount", "-o", f"remount,size={size}", str(place)], check=True)  # noqa: S607

    def extra_worker(self, number: int) -> ServiceProcess:
        """A worker beside the others, without a fixed slot."""
        process = ServiceProcess(
            f"extra worker {number}",
            [sys.executable, "-m", "nhip", "worker"],
            self.folder / "extra-workers.log",
            environment=msgspec.structs.replace(self.system.settings, instance=None).environment(),
        )
        process.start()
        return process

    def keep_alive(self, stop: threading.Event) -> None:
        """Start again what has died, until told to stop."""
        while not stop.wait(WATCH_S):
            with self._lock:
                self.system.watch()

    def say(self, text: str) -> None:
        """Take what the supervisor says."""
        self.said.append((time.monotonic(), text))

    def serve(self, name: str, tokens: str) -> None:
        """Start a `nhip serve`; the supervisor keeps it from now on."""
        (port,) = free_ports(1)
        self.health[name] = port
        settings = msgspec.structs.replace(
            self.direct,
            wall_port=port,
            intake_spool=str(self.folder / "spools" / f"{name}.db"),
            intake_tokens_file=tokens,
            store_password_file=None,  # as under `nhip up`: it never learns the password that writes
        )
        process = ServiceProcess(
            name,
            [sys.executable, "-m", "nhip", "serve"],
            self.folder / f"{name}.log",
            environment=settings.environment(),
        )
        process.start()
        self._parts[name] = process
        self.system._keep_process(process)

    def work(self, number: int) -> None:
        """Start a worker in its slot; the supervisor keeps it from now on."""
        process = self.system.add_worker(number)
        self._parts[process.name] = process
        self.health[process.name] = int(process._environment["NHIP_HEALTH_PORT"])

    def stop(self) -> None:
        """Stop intake, wall and workers, as long as the proxy stands; the system stops the rest."""
        for process in self._parts.values():
            process.ask_to_stop()
        for process in self._parts.values():
            process.stop()


@contextmanager
def fleet(folder: Path, hook: str, seed: int = 0, *, disks: bool = False) -> Iterator[Fleet]:
    """Start everything under a folder; ``hook``: Apprise address that gets the alerts.

    ``disks``: store and spools on small file systems of their own, which only root may mount; they go with this
    process.
    """
    for name in ("store", "spools", "clocks"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    if disks:
        _mount(folder)
    for worker in range(WORKERS):
        (folder / "clocks" / f"nhip-{worker}").write_bytes(bytes(8))
    os.environ["LAB_CLOCKS"] = str(folder / "clocks")
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(CLOCK), str(Path.cwd()), before]))
    (folder / "rules.toml").write_text(_RULES)
    (folder / "units.csv").write_text(_UNITS)
    recipients = folder / "recipients.toml"
    recipients.write_text(f'[recipients.duty]\nchannels = ["{hook}"]\nper_hour = 1000\n[groups]\nlab = ["duty"]\n')
    recipients.chmod(0o600)
    settings = Settings(
        partitions=WORKERS,
        session_timeout_s=6.0,
        store_patience_s=10.0,
        flush_interval_s=0.5,
        check_interval_s=0.0,
        units_file=str(folder / "units.csv"),
        rules_file=str(folder / "rules.toml"),
        recipients_file=str(recipients),
    )
    stop = threading.Event()
    said: list[str] = []
    system = System(SystemPlan(folder, workers=0, brokers=BROKERS), settings, said.append)
    try:
        with system, Proxy(system.store.port, seed) as proxy:
            running = Fleet(system, proxy, folder, disks=disks)
            system._say = running.say
            tokens = IntakeTokenFile(folder / "intake-tokens.json")
            running.token = tokens.create("lab", Limits(["lab/*"]), datetime.now(UTC))
            running.serve("intake", str(folder / "intake-tokens.json"))
            running.serve("wall", str(folder / "no-tokens.json"))
            system.settings = msgspec.structs.replace(system.settings, store_port=proxy.port)
            for worker in range(WORKERS):
                running.work(worker)
            watcher = threading.Thread(target=running.keep_alive, args=(stop,), name="supervisor")
            watcher.start()
            try:
                yield running
            finally:
                stop.set()
                watcher.join()
                running.stop()
    finally:
        if before is None:
            os.environ.pop("PYTHONPATH", None)
        else:
            os.environ["PYTHONPATH"] = before
        os.environ.pop("LAB_CLOCKS", None)


def _mount(folder: Path) -> None:
    """Mount small file systems where nobody else sees them: the mounts end with the last process that has them."""
    if ctypes.CDLL(None, use_errno=True).unshare(_NEW_MOUNTS) != 0:
        raise PermissionError("only root may mount: run without disks")
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)  # noqa: S607
    for name, size_mb in (("store", DISK_MB), ("spools", SPOOL_MB)):
        command = ["mount", "-t", "tmpfs", "-o", f"size={size_mb}m", "tmpfs", str(folder / name)]
        subprocess.run(command, check=True)


def _used_kb(place: Path) -> int:
    found = os.statvfs(place)
    return max(4, (found.f_blocks - found.f_bfree) * found.f_frsize // 1024)
