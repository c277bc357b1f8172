"""Runs one command and makes sure that it does not outlive the process that asked for it.

    python -I -S guard.py PARENT_PID STOP_TIMEOUT_S COMMAND [ARGUMENT...]

A parent can die without a chance to clean up (SIGKILL, out of memory), and Linux's "signal on parent death"
follows the parent's *thread*, so it would end a service started from a short-lived thread. This process sits
between: it has one thread, so the death signal is safe for its own child, and it notices by itself when its
parent is gone. Only the standard library, so that it starts in a few milliseconds.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time

__all__ = ["main"]

POLL_INTERVAL_S = 0.05
PR_SET_PDEATHSIG = 1


def _die_with(guard: int) -> None:
    """Run in the child before it becomes the command: SIGKILL it when the guard dies."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != guard:  # the guard died before the request was made
            os._exit(1)


def main(arguments: list[str]) -> int:
    """Run the command; return its exit code, or 128 + the signal that ended it.

    Ends the command with SIGTERM, then SIGKILL after the stop timeout, when asked to by SIGTERM or SIGINT,
    or when the parent has died.
    """
    parent, stop_timeout_s, command = int(arguments[0]), float(arguments[1]), arguments[2:]
    asked: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _frame: asked.append(received))
    guard = os.getpid()
    # close_fds=False: the folder's lock and the presence pipe pass on to the command.
    child = subprocess.Popen(command, close_fds=False, preexec_fn=lambda: _die_with(guard))  # noqa: S603, PLW1509
    while child.poll() is None and not asked and os.getppid() == parent:
        time.sleep(POLL_INTERVAL_S)
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(stop_timeout_s)
        except subprocess.TimeoutExpired:
            child.kill()
    code = child.wait()
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
