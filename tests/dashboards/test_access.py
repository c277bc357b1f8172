"""Wall tokens: kept hashed, limited, revoked while somebody looks."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from dashboards.access import Access, AccessError, Mode, TokenFile, is_loopback
from tests.support.screens import place

NOW = datetime(2026, 11, 22, tzinfo=UTC)
ANYWHERE = ".".join("0000")
"""The address that every other machine can reach."""


@pytest.fixture
def tokens(tmp_path: Path) -> TokenFile:
    """A file of tokens that does not exist yet."""
    return TokenFile(tmp_path / "keys" / "tokens.json")


def test_a_token_is_kept_hashed_and_private(tokens: TokenFile) -> None:
    """The file never holds the token, and only its owner reads it."""
    secret = tokens.create("Sảnh", ["c1"], NOW)

    assert secret not in tokens.path.read_text()
    assert tokens.path.stat().st_mode & 0o077 == 0
    assert [(t.name, t.units) for t in tokens.read()] == [("Sảnh", ("c1",))]


def test_revoking_shuts_out_at_once(tokens: TokenFile) -> None:
    """Who looks with a token is refused after it was revoked, without a restart."""
    secret = tokens.create("a", [], NOW)
    tokens.create("b", [], NOW)
    access = Access.choose(ANYWHERE, tokens, place().below, public=False)
    viewer = access.viewer(secret)
    assert viewer is not None
    assert access.still(viewer)

    tokens.revoke("a")

    assert not access.still(viewer)
    assert access.viewer(secret) is None


def test_limits_reach_down_the_tree_only(tokens: TokenFile) -> None:
    """A token for a province sees its communes; one for a commune sees nothing else."""
    tree = place()
    all_of, one = tokens.create("p", ["75"], NOW), tokens.create("c", ["c1"], NOW)
    access = Access(Mode.TOKENS, tokens, tree.below)
    province, commune = access.viewer(all_of), access.viewer(one)
    assert province is not None
    assert commune is not None

    assert access.allows(province, "c2")
    assert not access.allows(province, "99")
    assert access.allows(commune, "c1")
    assert not access.allows(commune, "75")


def test_wrong_missing_and_broken_let_nobody_in(tokens: TokenFile) -> None:
    """No token, another one, or a file that cannot be read: refused."""
    secret = tokens.create("a", [], NOW)
    access = Access(Mode.TOKENS, tokens)

    assert access.viewer(None) is None
    assert access.viewer(secret + "x") is None
    tokens.path.write_text("{broken")
    assert access.viewer(secret) is None


def test_an_open_address_needs_tokens_or_public(tokens: TokenFile) -> None:
    """Without both the program refuses to be reached from other machines."""
    with pytest.raises(AccessError, match="wall-token create"):
        Access.choose(ANYWHERE, tokens, place().below, public=False)

    assert Access.choose("127.0.0.1", tokens, place().below, public=False).mode is Mode.LOOPBACK
    assert Access.choose(ANYWHERE, tokens, place().below, public=True).mode is Mode.PUBLIC


@pytest.mark.parametrize("name", ["", "a\nb", "x" * 65, "<b>"])
def test_bad_names_are_refused(tokens: TokenFile, name: str) -> None:
    """A name is a short word."""
    with pytest.raises(AccessError, match="is no name"):
        tokens.create(name, [], NOW)


def test_names_are_unique_and_must_exist(tokens: TokenFile) -> None:
    """A second token of one name and revoking an unknown one are refused with a remedy."""
    tokens.create("a", [], NOW)

    with pytest.raises(AccessError, match="revoke it first"):
        tokens.create("a", [], NOW)
    with pytest.raises(AccessError, match="known: a"):
        tokens.revoke("b")


def test_loopback_addresses() -> None:
    """Only addresses of this machine count as such."""
    assert all(map(is_loopback, ("127.0.0.1", "::1", "localhost", "127.8.8.8")))
    assert not any(map(is_loopback, (ANYWHERE, "::", "10.0.0.1", "example.org", "")))
