"""Kafka's jars: fetched once per user, then used from disk without a network."""

import fcntl
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

from nhip.local.errors import LocalServiceError, require_package

__all__ = ["KAFKA_VERSION", "cache_folder", "kafka_jars"]

KAFKA_VERSION = "4.1.1"
COORDINATES = f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}+org.slf4j:slf4j-simple:1.7.36"
# One marker per set of coordinates: a new version must not take the old one's list for its own.
MARKER = f"kafka-{KAFKA_VERSION}.json"


def cache_folder() -> Path:
    """Return where downloads are kept: NHIP_CACHE, or the user's cache folder."""
    if chosen := os.environ.get("NHIP_CACHE"):
        return Path(chosen).expanduser().resolve()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "nhip"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "nhip"


def kafka_jars(log: Callable[[str], None]) -> tuple[Path, ...]:
    """Return Kafka's jars, fetching them when the cache does not hold them all.

    Blocks for half a minute the first time; runs that start at once wait for the one that fetches. `log` is
    told before a download. Raises LocalServiceError when they cannot be fetched or stored.
    """
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
    jars = tuple(sorted(Path(environment.path).rglob("*.jar")))
    if not jars:
        raise LocalServiceError(f"Kafka's jars were not found in {environment.path}: delete {folder} and retry")
    return jars


def _unreachable(error: Exception) -> LocalServiceError:
    return LocalServiceError(
        f"Kafka {KAFKA_VERSION} could not be fetched from Maven Central ({type(error).__name__}): connect this "
        f"machine to the network once, or copy the folder {cache_folder()} from a machine that has it"
    )
