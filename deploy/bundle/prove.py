"""The proof: the archive installs and runs where there is no network, and what it counts is true.

    python -m deploy.bundle.prove [ARCHIVE]

starts itself in a namespace that has no interface but loopback, with an empty home folder, and uses nothing of the
checkout but this script and the archive. Linux; needs unprivileged user namespaces or root.
"""

# ruff: noqa: S603
# It starts the archive's own programs.

import fcntl
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["main", "only_loopback", "raise_loopback"]

INSIDE = "--inside"
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 0x1
TRUTH = {"online": (1250, 1434), "on_time": (952, 1329)}
"""Of data/receipt.csv, counted by other means: data/README.md."""
PATIENCE_S = 240.0
MB = 1_000_000


class ProofError(Exception):
    """The archive does not do what it promises; the text says what and shows what was said."""


def main(archive: Path) -> int:
    """Run the proof in a namespace of its own; return its exit code."""
    command = [
        "unshare",
        "--user",
        "--map-root-user",
        "--net",
        sys.executable,
        __file__,
        INSIDE,
        str(archive.resolve()),
    ]
    return subprocess.run(command, check=False).returncode


def raise_loopback() -> None:
    """Switch the loopback interface on: in a new namespace it is there, but down."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        name = b"lo".ljust(16, b"\0")
        (flags,) = struct.unpack_from("16xH", fcntl.ioctl(control, SIOCGIFFLAGS, name + bytes(24)))
        fcntl.ioctl(control, SIOCSIFFLAGS, name + struct.pack("H", flags | IFF_UP) + bytes(22))


def only_loopback() -> bool:
    """Whether this process has no other interface, so no network at all."""
    return {name for _, name in socket.if_nameindex()} == {"lo"}


def prove(archive: Path, folder: Path, say: Callable[[str], None]) -> None:
    """Unpack, install, count, serve, install again. Raises ProofError."""
    if not only_loopback():
        raise ProofError(f"there is a network here: {socket.if_nameindex()}")
    home, work, prefix = folder / "home", folder / "work", folder / "opt" / "nhip"
    home.mkdir()
    work.mkdir()
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(home), "LANG": "C.UTF-8"}

    def run(*command: str | Path) -> str:
        done = subprocess.run(
            [str(part) for part in command], cwd=work, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise ProofError(
                f"{command[0]} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-4000:]}"
            )
        return done.stdout

    with _timed(f"unpacked ({archive.stat().st_size / MB:.0f} MB)", say), tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    (unpacked,) = folder.glob("nhip-*")
    with _timed("installed", say):
        run(unpacked / "install.sh", "--prefix", prefix)
    installed_mb = sum(f.lstat().st_size for f in prefix.rglob("*") if f.is_file() and not f.is_symlink()) / MB
    say(f"on disk: {installed_mb:.0f} MB")
    with _timed("installed again", say):
        if "installed already" not in run(unpacked / "install.sh", "--prefix", prefix):
            raise ProofError("a second installation did not find the first")
    shutil.rmtree(unpacked)  # what runs must not need it
    nhip = prefix / "bin" / "nhip"
    (sample,) = prefix.glob("versions/*/lib/python*/site-packages/nhip/data/receipt.csv")
    with _timed("nhip try on 1,434 dossiers", say):
        _compare(run(nhip, "try", sample, "--mapping", "receipt", "--json"))
    _serve(nhip, sample, work, environment, run, say)
    left = sorted(path.relative_to(home).as_posix() for path in home.rglob("*"))
    say(f"in the home folder afterwards: {', '.join(left) or 'nothing'}")


def _serve(
    nhip: Path,
    sample: Path,
    work: Path,
    environment: dict[str, str],
    run: Callable[..., str],
    say: Callable[[str], None],
) -> None:
    """Start everything as one machine does, send, read the figures, ask health and wall, and stop in order."""
    log = work / "up.log"
    with log.open("w") as output, _timed("nhip up answers", say):
        command = [str(nhip), "--set", "clock=event", "up"]
        up = subprocess.Popen(command, cwd=work, env=environment, stdout=output, stderr=output)
        _wait(lambda: _get("http://127.0.0.1:8080/health/ready") is not None, up, log)
    try:
        with _timed("replayed, and every event counted", say):
            run(nhip, "replay", sample, "--mapping", "receipt")
            _wait(lambda: _right(run(nhip, "rates", "--json", "--scope", "unit:wabo")), up, log)
        run(nhip, "check")
        page = _get("http://127.0.0.1:8080/wall/overview") or ""
        if "Tổng quan" not in page:
            raise ProofError(f"the wall's first page is not there:\n{page[:500]}")
        say("nhip check is silent, the wall shows its first page")
    finally:
        up.send_signal(signal.SIGTERM)
        code = up.wait(PATIENCE_S)
    if code:
        raise ProofError(f"nhip up ended with {code}:\n{log.read_text('utf-8')[-4000:]}")


def _compare(document: str) -> None:
    if not _right(document):
        raise ProofError(f"the figures are not {TRUTH}:\n{document[:2000]}")


def _right(document: str) -> bool:
    found = {
        rate["indicator"]: (rate["numerator"], rate["denominator"])
        for rate in json.loads(document)["rates"]
        if (rate["scope"], rate["window"]) == ("unit:wabo", "all")
    }
    return {name: found.get(name) for name in TRUTH} == TRUTH


def _get(address: str) -> str | None:
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310 - the address is our own
            return str(answer.read().decode())
    except (OSError, urllib.error.URLError):
        return None


def _wait(done: Callable[[], bool], process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not done():
        if process.poll() is not None or time.monotonic() > deadline_s:
            raise ProofError(f"nhip up has ended, or took too long:\n{log.read_text('utf-8')[-4000:]}")
        time.sleep(0.5)


@contextmanager
def _timed(what: str, say: Callable[[str], None]) -> Iterator[None]:
    began_s = time.monotonic()
    yield
    say(f"{what}: {time.monotonic() - began_s:.1f} s")


def _say(text: str) -> None:
    sys.stderr.write(f"proof: {text}\n")


def _inside(archive: Path) -> int:
    os.umask(0o022)
    raise_loopback()
    with tempfile.TemporaryDirectory(prefix="nhip-proof-") as folder:
        try:
            prove(archive, Path(folder), _say)
        except ProofError as error:
            _say(str(error))
            return 1
    _say("holds")
    return 0


if __name__ == "__main__":
    given = sys.argv[1:]
    if given[:1] == [INSIDE]:
        sys.exit(_inside(Path(given[1])))
    found = [Path(name) for name in given] or sorted(
        Path("dist").glob("nhip-*.tar.gz"), key=lambda p: p.stat().st_mtime
    )
    if not found:
        _say("there is no archive in dist/: `make bundle` makes one")
        sys.exit(2)
    sys.exit(main(found[-1]))
