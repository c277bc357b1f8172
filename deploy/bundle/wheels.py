"""The packages as wheels for this interpreter and machine, each compared with the lock's digest by pip."""

import re
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from packaging.utils import parse_wheel_filename

from deploy.bundle.archive import sha256

__all__ = ["WheelError", "as_requirements", "build_own", "fetch", "least_glibc", "unpacked_bytes"]

Show = Callable[[int, int], None]

_GLIBC = re.compile(r"manylinux_(\d+)_(\d+)_")
_OLD_NAMES = {
    "manylinux1_": "manylinux_2_5_",
    "manylinux2010_": "manylinux_2_12_",
    "manylinux2014_": "manylinux_2_17_",
}


class WheelError(Exception):
    """pip could not bring or build a package; the text has the end of what it said."""


def fetch(lock: str, count: int, folder: Path, scratch: Path, show: Show) -> None:
    """Bring all packages of a lock as wheels; what has none for this machine is built. Raises WheelError.

    ``show`` gets (wheels there, ``count``).
    """
    chosen = scratch / "runtime.lock"
    chosen.write_text(lock, "utf-8")
    _pip(["wheel", "--require-hashes", "--no-deps", "--wheel-dir", str(folder), "-r", str(chosen)], show, count)


def build_own(project: Path, folder: Path) -> None:
    """Build the project's own wheel. Raises WheelError."""
    _pip(["wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(project)])


def as_requirements(wheels: Iterable[Path]) -> str:
    """Return a requirements file of exactly these wheels, by digest: what is installed is what was put in."""
    lines = []
    for wheel in sorted(wheels):
        name, version, _, _ = parse_wheel_filename(wheel.name)
        lines.append(f"{name}=={version} --hash=sha256:{sha256(wheel)}\n")
    return "".join(lines)


def least_glibc(wheels: Iterable[Path]) -> str:
    """Return the oldest glibc that all wheels can do with, such as "2.28"; empty when none needs one."""
    needs = []
    for wheel in wheels:
        names = wheel.stem
        for old, new in _OLD_NAMES.items():
            names = names.replace(old, new)
        if found := [(int(major), int(minor)) for major, minor in _GLIBC.findall(names)]:
            needs.append(min(found))
    return ".".join(map(str, max(needs))) if needs else ""


def unpacked_bytes(wheels: Iterable[Path]) -> int:
    """Return the size of all files in wheels."""
    total = 0
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            total += sum(entry.file_size for entry in archive.infolist())
    return total


def _pip(arguments: Sequence[str], show: Show = lambda *_: None, total: int = 0) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments]
    said: list[str] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:  # noqa: S603
        for line in process.stdout or ():
            said.append(line)
            show(sum(one.startswith("Collecting ") for one in said), total)
    if process.returncode:
        raise WheelError(f"pip {arguments[0]} ended with {process.returncode}:\n{''.join(said[-20:])}")
