"""The jar cache: fetched once, then no network."""

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from nhip.local import LocalServiceError
from nhip.local.jars import cache_folder, kafka_jars


class Resolver:
    """Stands in for the package that fetches: writes two jars, or fails."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.failure = failure
        self.calls = 0

    def build(self, _coordinates: str, *, update: bool, cache_dir: Path) -> SimpleNamespace:
        """Write the jars."""
        self.calls += 1
        if self.failure:
            raise self.failure
        assert update
        folder = cache_dir / "made"
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("a.jar", "b.jar"):
            (folder / name).write_text(name)
        return SimpleNamespace(path=folder)


@pytest.fixture
def resolver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Resolver:
    """An empty cache and a resolver that needs no network."""
    monkeypatch.setenv("NHIP_CACHE", str(tmp_path))
    monkeypatch.setattr("nhip.local.jars.require_package", lambda _name: None)
    made = Resolver()
    monkeypatch.setitem(sys.modules, "jgo", made)
    return made


def test_second_run_needs_no_resolver(resolver: Resolver) -> None:
    """The marker answers when all jars are there, without a message."""
    said: list[Any] = []
    first = kafka_jars(said.append)

    second = kafka_jars(said.append)

    assert [jar.name for jar in second] == ["a.jar", "b.jar"]
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
