"""Signed links: only ours, only for their alert, only in time."""

import threading
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinks.links import ExpiredLinkError, ForgedLinkError, Grant, LinkKeyError, LinkSigner, load_link_key

SIGNER = LinkSigner(b"k" * 32)


def _parts(url: str) -> tuple[str, str, str, str]:
    split = urlsplit(url)
    query = {name: values[0] for name, values in parse_qs(split.query).items()}
    return split.path.rsplit("/", 1)[-1], query["r"], query["e"], query["s"]


def test_a_link_grants_its_alert_to_its_recipient_until_it_expires() -> None:
    """What the signer made it accepts, one second before the expiry too."""
    url = SIGNER.link("https://nhip.example.org", "a1b2", "duty", 1_000)

    assert url.startswith("https://nhip.example.org/alerts/a1b2?r=duty&e=1000&s=")
    assert SIGNER.verify(*_parts(url), 999) == Grant("a1b2", "duty", 1_000)


def test_an_expired_link_is_refused() -> None:
    """From the second of its expiry on a genuine link gives nothing."""
    parts = _parts(SIGNER.link("https://nhip.example.org", "a1b2", "duty", 1_000))

    with pytest.raises(ExpiredLinkError, match="newest message"):
        SIGNER.verify(*parts, 1_000)


@pytest.mark.parametrize(
    ("place", "value"),
    [(0, "other"), (1, "leader"), (2, "9999999999"), (3, "0" * 64), (3, ""), (3, "ü"), (2, "soon"), (1, "\ud800")],
)
def test_a_link_with_any_part_changed_is_forged(place: int, value: str) -> None:
    """Another alert, recipient, expiry or signature: refused, however odd the text."""
    parts = list(_parts(SIGNER.link("https://nhip.example.org", "a1b2", "duty", 1_000)))
    parts[place] = value
    alert, recipient, expires, signature = parts

    with pytest.raises(ForgedLinkError):
        SIGNER.verify(alert, recipient, expires, signature, 0)


@given(st.lists(st.text(max_size=4), min_size=3, max_size=3), st.lists(st.text(max_size=4), min_size=3, max_size=3))
def test_no_two_triples_share_a_signature(one: list[str], other: list[str]) -> None:
    """Characters cannot be shifted from one part into the next."""
    same = SIGNER.sign(*one) == SIGNER.sign(*other)

    assert same == (one == other)


def test_another_key_signs_otherwise() -> None:
    """A link of another installation is forged here."""
    parts = _parts(LinkSigner(b"x" * 32).link("https://nhip.example.org", "a1b2", "duty", 1_000))

    with pytest.raises(ForgedLinkError):
        SIGNER.verify(*parts, 0)


def test_the_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    """Eight threads that start at once get one key, in a file of mode 0600, and leave nothing else behind."""
    path, keys = tmp_path / "secrets" / "links.key", []
    threads = [threading.Thread(target=lambda: keys.append(load_link_key(path))) for _ in range(8)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(keys) == 8
    assert len(set(keys)) == 1
    assert path.stat().st_mode & 0o777 == 0o600
    assert [found.name for found in path.parent.iterdir()] == ["links.key"]


@pytest.mark.parametrize(
    ("content", "mode", "remedy"),
    [("00" * 32, 0o644, "chmod 600"), ("secret words", 0o600, "remove the file"), ("00", 0o600, "1 bytes, not 32")],
)
def test_a_key_file_that_cannot_be_trusted_is_refused(tmp_path: Path, content: str, mode: int, remedy: str) -> None:
    """The error says what to do and does not show the content."""
    path = tmp_path / "links.key"
    path.write_text(content)
    path.chmod(mode)

    with pytest.raises(LinkKeyError, match=remedy) as caught:
        load_link_key(path)

    assert "secret words" not in str(caught.value)


def test_a_key_that_cannot_be_made_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    """Its folder is a file."""
    (tmp_path / "secrets").write_text("no folder")

    with pytest.raises(LinkKeyError, match=r"secrets/links\.key: the key cannot be read or made: "):
        load_link_key(tmp_path / "secrets" / "links.key")


def test_who_comes_second_takes_the_key_that_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes saw no file: the one that is later neither replaces the key nor leaves a file of its own."""
    path = tmp_path / "links.key"
    key = load_link_key(path)
    exists = Path.exists
    monkeypatch.setattr(Path, "exists", lambda self: self != path and exists(self))

    again = load_link_key(path)

    assert again == key
    assert [found.name for found in tmp_path.iterdir()] == ["links.key"]
