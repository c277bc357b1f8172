"""Tokens of producers: what is kept of them, and what may not be made."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from producers.bucket import Bucket
from producers.intake import IntakeTokenFile
from producers.intake.grants import Limits
from producers.tokens import AccessError, TokenWatch

NOW = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.fixture
def tokens(tmp_path: Path) -> IntakeTokenFile:
    """A file that does not exist yet."""
    return IntakeTokenFile(tmp_path / "keys" / "tokens.json")


def test_a_token_is_kept_hashed_and_private(tokens: IntakeTokenFile) -> None:
    """The file holds limits and a hash, never the token; only its owner reads it."""
    secret = tokens.create("one-stop", Limits(["a/*", "a/*"], ["dossier"], ["H1"], NOW + timedelta(days=1)), NOW)

    (kept,) = tokens.read()
    assert secret not in tokens.path.read_text()
    assert len(secret) >= 43
    assert tokens.path.stat().st_mode & 0o077 == 0
    assert (kept.sources, kept.kinds, kept.units) == (("a/*",), ("dossier",), ("H1",))
    assert TokenWatch(tokens).find(secret) == kept


@pytest.mark.parametrize(
    ("name", "limits", "words"),
    [
        ("a", Limits([]), "needs the sources"),
        ("a", Limits(["x" * 129]), "needs the sources"),
        ("a", Limits(["*"], ["dosier"]), "unknown kind 'dosier'"),
        ("a", Limits(["*"], expires=NOW), "no moment"),
        ("a\nb", Limits(["*"]), "is no name"),
    ],
)
def test_slips_are_named(tokens: IntakeTokenFile, name: str, limits: Limits, words: str) -> None:
    """A token without sources, of an unknown kind or already expired is not made."""
    with pytest.raises(AccessError, match=words):
        tokens.create(name, limits, NOW)

    assert tokens.read() == ()


def test_a_file_that_cannot_be_read_lets_nobody_in(tokens: IntakeTokenFile) -> None:
    """A broken file shuts the door, and a mended one opens it again."""
    secret = tokens.create("a", Limits(["*"]), NOW)
    watch, good = TokenWatch(tokens), tokens.path.read_text()

    tokens.path.write_text("{broken")
    shut = watch.find(secret)
    tokens.path.write_text(good + "\n")

    assert shut is None
    assert watch.find(secret) is not None


def test_a_bucket_lets_the_average_pass() -> None:
    """However large the batches, over time no more than the rate and one burst pass."""
    now = [0.0]
    bucket = Bucket(10, 20, lambda: now[0])
    passed = 0

    for _ in range(1_000):
        if bucket.wait_s() == 0:
            bucket.take(7)
            passed += 7
        now[0] += 0.1

    assert 1_000 <= passed <= 10 * 100 + 20 + 7
