"""A child process that dies with this one, however this one dies."""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from nhip.local import guard
from nhip.local.errors import LocalServiceError

__all__ = ["KILL_TIMEOUT_S", "STOP_TIMEOUT_S", "ServiceProcess"]

STOP_TIMEOUT_S = 15.0
KILL_TIMEOUT_S = 10.0
PROBE_INTERVAL_S = 0.03
LOG_TAIL_BYTES = 4000
LOG_TAIL_LINES = 15

# What the engines write when the disk is the reason, and how to say it in one sentence.
DISK_FAULTS = {
    "No space left on device": "the disk is full: free some space, or choose another data folder",
    "Read-only file system": "the file system is read-only: choose another data folder",
    "Permission denied": "a file may not be written: check the data folder's owner, or choose another one",
}


class ServiceProcess:
    """One service as a child process in a session of its own.

    Its own session keeps a terminal's Ctrl-C from it: the parent stops its services in their order.

    name: how messages call it ("Kafka broker 1").
    command: the program and its arguments.
    log: its output is appended here.
    environment: variables on top of this process's own.
    keep_open: file descriptors the service must hold as long as it lives (the folder's lock).
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        log: Path,
        *,
        environment: Mapping[str, str] | None = None,
        keep_open: Sequence[int] = (),
    ) -> None:
        self.name = name
        self.log = log
        self._command = list(command)
        self._environment = dict(environment or {})
        self._keep_open = tuple(keep_open)
        self._process: subprocess.Popen[bytes] | None = None
        self._presence = -1

    @property
    def alive(self) -> bool:
        """Whether the service runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def died(self) -> bool:
        """Whether the service was started and has ended, though nobody here ended it."""
        return self._process is not None and self._process.poll() is not None

    def start(self) -> None:
        """Start the service and return at once; wait with `wait_ready`.

        Raises LocalServiceError when the program or its log cannot be opened.
        """
        # Every process of the service holds the pipe's write end: end-of-file means that all are gone.
        self._presence, held = os.pipe()
        wrapper = [sys.executable, "-I", "-S", guard.__file__, str(os.getpid()), str(STOP_TIMEOUT_S)]
        try:
            with self.log.open("ab") as output:
                self._process = subprocess.Popen(  # noqa: S603
                    [*wrapper, *self._command],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env={**os.environ, **self._environment},
                    pass_fds=(held, *self._keep_open),
                    start_new_session=True,
                )
        except OSError as error:
            self._close_presence()
            raise LocalServiceError(
                f"{self.name} cannot be started, log {self.log}: {error.strerror or error}"
            ) from error
        finally:
            os.close(held)

    def wait_ready(self, probe: Callable[[], bool], timeout_s: float) -> None:
        """Block until the probe is true.

        Raises LocalServiceError, with the end of the log, when the service ends or the time is over; the
        service does not run any more then.
        """
        deadline = time.monotonic() + timeout_s
        while self.alive:
            # Alive is asked again: a stranger on the same port may have answered for a service that died.
            if probe() and self.alive:
                return
            if time.monotonic() > deadline:
                self.kill()
                raise LocalServiceError(self._failure(f"did not answer within {timeout_s:.0f} s"))
            time.sleep(PROBE_INTERVAL_S)
        self.kill()
        raise LocalServiceError(self._failure("ended while starting"))

    def ask_to_stop(self) -> None:
        """Send SIGTERM and return at once, so that several services can stop side by side."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    def stop(self) -> None:
        """Stop in order, or by force after STOP_TIMEOUT_S; nothing of it runs afterwards. May be repeated."""
        self.ask_to_stop()
        if self._process is not None:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_TIMEOUT_S + KILL_TIMEOUT_S)
            self.kill()

    def kill(self) -> None:
        """SIGKILL the service and wait until all of it is gone. May be repeated."""
        if self._process is None:
            return
        # A group that is all gone is not signalled: its number may be another one's by now.
        if self._process.poll() is None or not self._gone_within(0):
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        gone = self._gone_within(KILL_TIMEOUT_S)
        self._close_presence()
        self._process = None
        if not gone:
            raise LocalServiceError(f"{self.name} did not end after SIGKILL; look for it with `ps`")

    def log_tail(self) -> str:
        """Return the last lines of the log, or a remark that there are none."""
        try:
            with self.log.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - LOG_TAIL_BYTES))
                lines = file.read().decode(errors="replace").splitlines()
        except OSError:
            lines = []
        return "\n".join(lines[-LOG_TAIL_LINES:]) or "(the log is empty)"

    def _gone_within(self, seconds: float) -> bool:
        """Tell whether all is gone; the service is not our own child, so only the pipe can say."""
        # poll and not select, which refuses descriptors above 1023
        poll = select.poll()
        poll.register(self._presence, select.POLLIN | select.POLLHUP)
        return bool(poll.poll(seconds * 1000))

    def _failure(self, what: str) -> str:
        tail = self.log_tail()
        for sign, advice in DISK_FAULTS.items():
            if sign in tail:
                return f"{self.name} {what}: {advice} (log {self.log})"
        return f"{self.name} {what}; the end of its log {self.log}:\n{tail}"

    def _close_presence(self) -> None:
        if self._presence >= 0:
            os.close(self._presence)
            self._presence = -1
