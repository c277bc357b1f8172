"""The jars: brought by the installation, or fetched once; then no network. Only what the lock says is taken."""

import hashlib
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from nhip.local import LocalServiceError
from nhip.local.jars import COORDINATES, LockedJar, bundled_folder, cache_folder, kafka_jars, locked_jars

NAMES = ("a-1.jar", "b-1.jar")


def locked() -> tuple[LockedJar, ...]:
    """A lock of two jars that hold their names."""
    return tuple(
        LockedJar("g", name[0], "1", hashlib.sha256(name.encode()).hexdigest(), "Apache-2.0") for name in NAMES
    )


class Resolver:
    """Stands in for the package that fetches: writes two jars, or fails."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.failure = failure
        self.content: str | None = None
        self.calls = 0

    def build(self, _coordinates: str, *, update: bool, cache_dir: Path) -> SimpleNamespace:
        """Write the jars."""
        self.calls += 1
        if self.failure:
            raise self.failure
        assert update
        folder = cache_dir / "made"
        folder.mkdir(parents=True, exist_ok=True)
        for name in NAMES:
            (folder / name).write_text(self.content or name)
        return SimpleNamespace(path=folder)


@pytest.fixture
def resolver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Resolver:
    """An empty cache and a resolver that needs no network."""
    monkeypatch.setenv("NHIP_CACHE", str(tmp_path))
    monkeypatch.setattr("nhip.local.jars.require_package", lambda _name: None)
    monkeypatch.setattr("nhip.local.jars.locked_jars", locked)
    made = Resolver()
    monkeypatch.setitem(sys.modules, "jgo", made)
    return made


def test_second_run_needs_no_resolver(resolver: Resolver) -> None:
    """The marker answers when all jars are there, without a message."""
    said: list[Any] = []
    first = kafka_jars(said.append)

    second = kafka_jars(said.append)

    assert [jar.name for jar in second] == list(NAMES)
    assert first == second
    assert resolver.calls == 1
    assert said == ["fetching Kafka (once, about 45 MB)…"]


@pytest.mark.parametrize("damage", ["delete", "cut", "marker"])
def test_damaged_cache_is_fetched_again(resolver: Resolver, damage: str) -> None:
    """A jar that is missing or cut off, or a marker that is none, is noticed."""
    jar = kafka_jars(print)[0]
    if damage == "delete":
        jar.unlink()
    elif damage == "cut":
        jar.write_text("")
    else:
        (marker,) = (cache_folder() / "jars").glob("*.json")
        marker.write_text("{")

    jars = kafka_jars(print)

    assert all(jar.stat().st_size for jar in jars)
    assert resolver.calls == 2


def test_missing_network_is_one_sentence(resolver: Resolver) -> None:
    """The message says what is needed and how to do without."""
    resolver.failure = ConnectionError("name not known\nsecond line")

    with pytest.raises(LocalServiceError) as refused:
        kafka_jars(print)

    assert "could not be fetched from Maven Central" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_missing_package_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the optional packages the message names the extra."""
    monkeypatch.setenv("NHIP_CACHE", str(tmp_path))
    monkeypatch.setattr("nhip.local.errors.find_spec", lambda _name: None)

    with pytest.raises(LocalServiceError, match=r"jgo is not installed: run pip install 'nhip\[local\]'"):
        kafka_jars(print)


def test_cache_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """NHIP_CACHE wins over the user's cache folder."""
    monkeypatch.setenv("NHIP_CACHE", str(tmp_path / "mine"))

    assert cache_folder() == tmp_path / "mine"


def test_a_fetched_jar_must_be_the_locked_one(resolver: Resolver) -> None:
    """What the network gave instead of it is never run, and never taken for complete."""
    resolver.content = "something else"

    for _ in range(2):
        with pytest.raises(LocalServiceError, match=r"Kafka's a-1\.jar is not what the lock says, in .*: delete"):
            kafka_jars(print)

    assert resolver.calls == 2


@pytest.fixture
def bundled(resolver: Resolver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation that brought the jars, on a machine whose resolver fails."""
    resolver.failure = ConnectionError("no network")
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "opt"))
    folder = bundled_folder()
    folder.mkdir(parents=True)
    for name in NAMES:
        (folder / name).write_text(name)
    return folder


def test_an_installation_from_a_bundle_needs_no_cache(bundled: Path, resolver: Resolver) -> None:
    """Its own jars are taken, without a word and without the network."""
    said: list[Any] = []

    jars = kafka_jars(said.append)

    assert jars == tuple(bundled / name for name in NAMES)
    assert (said, resolver.calls) == ([], 0)


@pytest.mark.parametrize(
    ("damage", "fault"),
    [("missing", "b-1.jar is missing in"), ("changed", "b-1.jar is not what the lock"), ("more", "c.jar is not in")],
)
def test_a_damaged_installation_says_how_to_mend_it(bundled: Path, damage: str, fault: str) -> None:
    """A jar that is missing, changed or too many stops Kafka before Java runs it."""
    if damage == "missing":
        (bundled / NAMES[1]).unlink()
    else:
        (bundled / ("c.jar" if damage == "more" else NAMES[1])).write_text("other")

    with pytest.raises(LocalServiceError, match=r"remove .*opt and run the bundle's install\.sh again") as refused:
        kafka_jars(print)

    assert fault in str(refused.value)


def test_the_lock_names_what_is_fetched() -> None:
    """Each jar has a digest and a licence, no two the same file, and the coordinates' own are among them."""
    jars = locked_jars()

    assert len({jar.file for jar in jars}) == len(jars)
    assert all(len(jar.sha256) == 64 and jar.licence for jar in jars)
    assert set(COORDINATES.split("+")) <= {f"{jar.group}:{jar.artifact}:{jar.version}" for jar in jars}
