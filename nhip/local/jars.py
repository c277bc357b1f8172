"""Kafka's jars: those that the installation brought, or fetched once per user. Each is what the lock says."""

import fcntl
import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from nhip.local.errors import LocalServiceError, require_package

__all__ = ["KAFKA_VERSION", "LockedJar", "bundled_folder", "cache_folder", "kafka_jars", "locked_jars", "verified"]

KAFKA_VERSION = "4.1.1"
COORDINATES = f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}+org.slf4j:slf4j-simple:1.7.36"
# One marker per set of coordinates: a new version must not take the old one's list for its own.
MARKER = f"kafka-{KAFKA_VERSION}.json"
LOCK = Path(__file__).with_name("kafka_jars.lock")


class LockedJar(NamedTuple):
    """One jar as it was looked at: where it comes from, its SHA-256 in hex, its licence as an SPDX expression."""

    group: str
    artifact: str
    version: str
    sha256: str
    licence: str

    @property
    def file(self) -> str:
        """Name of its file."""
        return f"{self.artifact}-{self.version}.jar"


def locked_jars() -> tuple[LockedJar, ...]:
    """Return all jars of the lock."""
    lines = (line for line in LOCK.read_text("utf-8").splitlines() if line and not line.startswith("#"))
    jars = []
    for line in lines:
        place, digest, licence = line.split(maxsplit=2)
        group, artifact, version = place.split(":")
        jars.append(LockedJar(group, artifact, version, digest, licence))
    return tuple(jars)


def bundled_folder() -> Path:
    """Return where an installation from a bundle has the jars; absent in any other."""
    return Path(sys.prefix) / "share" / "nhip" / "jars"


def cache_folder() -> Path:
    """Return where downloads are kept: NHIP_CACHE, or the user's cache folder."""
    if chosen := os.environ.get("NHIP_CACHE"):
        return Path(chosen).expanduser().resolve()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "nhip"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "nhip"


def kafka_jars(log: Callable[[str], None]) -> tuple[Path, ...]:
    """Return Kafka's jars, fetching them when neither the installation nor the cache holds them all.

    Blocks for half a minute the first time; runs that start at once wait for the one that fetches. `log` is
    told before a download. Raises LocalServiceError when they cannot be fetched or stored, or are not those of
    the lock.
    """
    if (bundled := bundled_folder()).is_dir():
        remedy = f"{bundled}: remove {sys.prefix} and run the bundle's install.sh again"
        return verified(bundled.glob("*.jar"), remedy)
    folder = cache_folder() / "jars"
    if jars := _complete(folder):
        return jars
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # closing the file releases it
            if jars := _complete(folder):  # another run fetched them while this one waited
                return jars
            log("fetching Kafka (once, about 45 MB)…")
            jars = _fetch(folder)
            draft = folder / f"{MARKER}.{os.getpid()}"
            draft.write_text(json.dumps([[str(jar), jar.stat().st_size] for jar in jars]))
            draft.replace(folder / MARKER)
            return jars
    except OSError as error:
        raise LocalServiceError(
            f"Kafka's jars cannot be kept in {folder} ({error.strerror or error}): "
            "free some space there, or set NHIP_CACHE to another folder"
        ) from error


def _complete(folder: Path) -> tuple[Path, ...]:
    """Return the jars the marker lists, or nothing unless all are there in full size."""
    try:
        listed = [(Path(name), int(size)) for name, size in json.loads((folder / MARKER).read_text())]
        if all(jar.stat().st_size == size for jar, size in listed):
            return tuple(jar for jar, _ in listed)
    except (OSError, ValueError, TypeError):
        pass  # no marker, a damaged one, or a jar was deleted: fetch again
    return ()


def _fetch(folder: Path) -> tuple[Path, ...]:
    require_package("jgo")
    import jgo  # noqa: PLC0415 - a quarter of a second and an optional package, needed once per machine

    try:
        # update: never trust what an interrupted run left
        environment = jgo.build(COORDINATES, update=True, cache_dir=folder)
    except OSError as error:
        if error.errno is not None:
            raise  # the disk, not the network
        raise _unreachable(error) from error
    except Exception as error:  # the resolver has no error class of its own
        raise _unreachable(error) from error
    # The resolver's class path lists only the jars without a module name: take all there are.
    return verified(Path(environment.path).rglob("*.jar"), f"{environment.path}: delete {folder} and retry")


def verified(jars: Iterable[Path], place_and_remedy: str) -> tuple[Path, ...]:
    """Return the jars in order when they are those of the lock, each by its digest, and no others.

    Raises LocalServiceError, which ends with ``place_and_remedy``.
    """
    found = {jar.name: jar for jar in jars}
    locked = {jar.file: jar.sha256 for jar in locked_jars()}
    for name in sorted(locked.keys() | found.keys()):
        fault = "is missing in" if name not in found else "is not in the lock, but in" if name not in locked else None
        if fault is None and hashlib.sha256(found[name].read_bytes()).hexdigest() != locked[name]:
            fault = "is not what the lock says, in"
        if fault:
            raise LocalServiceError(f"Kafka's {name} {fault} {place_and_remedy}")
    return tuple(found[name] for name in sorted(found))


def _unreachable(error: Exception) -> LocalServiceError:
    return LocalServiceError(
        f"Kafka {KAFKA_VERSION} could not be fetched from Maven Central ({type(error).__name__}): connect this "
        "machine to the network once, copy the folder "
        f"{cache_folder()} from a machine that has it, or install from a bundle (docs/install.md)"
    )
