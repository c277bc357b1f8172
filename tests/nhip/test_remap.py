"""A file that is replayed under a changed mapping: noticed before anything is sent, and replaced when told to."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from contract.decode import encoded
from contract.dossier import DossierEvent
from contract.kind import Kind
from nhip.cli import app
from nhip.remap import REVISIONS_US, ContradictedError, contradicted, outranking
from streams.intake import content_hash
from streams.rows import Stored
from streams.store import StoreUnavailableError
from tests.support.events import at, dossier
from tests.support.pipeline import Pipeline, pipeline

MAPPING = """
kind = "dossier"
layout = "cases"
source = "onestop/H10"

[subject]
column = "code"

[moments]
start = "received"
end = "finished"

[status]
start = "accepted"
end = "completed"

[fields]
unit = {{ column = "office" }}
channel = {{ column = "how", map = {{ "web" = "{web}", "desk" = "counter" }} }}
received_at = {{ moment = "start" }}
finished_at = {{ moment = "end" }}
"""


# -- what is a contradiction ----------------------------------------------------------------------------


class Rows:
    """A store of events."""

    def __init__(self, *stored: DossierEvent) -> None:
        self.rows = {
            event.subject: Stored(event.version, content_hash(encoded(event)[1]), "u", None, (), 0, 1)
            for event in stored
        }

    def look_up(self, kind: Kind, ids: Sequence[str]) -> dict[str, Stored]:
        assert kind.key == "dossier"
        return {one: self.rows[one] for one in ids if one in self.rows}


def ignored(*_: int) -> None:
    """Show nothing."""


@pytest.mark.parametrize(
    ("stored", "found"),
    [
        ([], {}),
        ([dossier("d", 9)], {}),
        ([dossier("d", 9, channel="post")], {"d": 9}),
        ([dossier("d", 10, time=at(9e-6))], {}),  # replaced by --remapped before, under this mapping
        ([dossier("d", 10, channel="post")], {"d": 10}),  # likewise, under another one
        ([dossier("d", 10 + REVISIONS_US, channel="post")], {}),  # it has changed since
        ([dossier("d", 8, channel="post")], {}),  # the file goes on
        ([dossier("other", 9, channel="post")], {}),
    ],
)
def test_only_the_same_moment_told_otherwise_contradicts(stored: list[DossierEvent], found: dict[str, int]) -> None:
    """Whatever the order of the file; its older snapshots are of no account."""
    events = [dossier("d", 9), dossier("d", 3, channel="other")]

    rv = [contradicted(Rows(*stored), many, ignored) for many in (events, events[::-1])]

    assert rv == [found, found]


@given(st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 50), min_size=1), st.data())
def test_what_outranks_contradicts_no_more(versions: dict[str, int], data: st.DataObject) -> None:
    """After each change of mind every newest snapshot is that of the last mapping; other events stay as they are."""
    channels = data.draw(st.lists(st.sampled_from(["online", "counter", "post"]), min_size=2, max_size=5))
    rows = Rows()
    for channel in channels:
        first = [dossier(subject, version - 1, channel="other") for subject, version in versions.items()]
        events = [*first, *(dossier(subject, version, channel=channel) for subject, version in versions.items())]

        sent = outranking(events, contradicted(rows, events, ignored))
        for event in sent:
            assert isinstance(event, DossierEvent)
            known = rows.rows.get(event.subject)
            if known is None or known.version < event.version:
                rows.rows |= Rows(event).rows

        assert contradicted(rows, events, ignored) == {}
        assert sent[: len(first)] == first
        newest = {event.subject: event for event in sent[len(first) :]}
        for subject, row in rows.rows.items():
            told = msgspec.structs.replace(newest[subject], version=row.version, id=f"{subject}/{row.version}")
            assert row.content == content_hash(encoded(told)[1])


# -- the command ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """A system of one worker."""
    with pipeline(tmp_path_factory.mktemp("remap")) as system:
        yield system


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Nine cases, and two mappings that read the word `web` differently."""
    lines = [f"c{n},2026-01-0{n + 1},2026-02-01,H10,{'desk' if n % 3 else 'web'}" for n in range(9)]
    (tmp_path / "cases.csv").write_text("\n".join(["code,received,finished,office,how", *lines]))
    for name, word in (("right", "online"), ("wrong", "post")):
        (tmp_path / f"{name}.toml").write_text(MAPPING.format(web=word))
    return tmp_path


def replay(running: Pipeline, files: Path, mapping: str, *flags: str) -> Result:
    """The command, as in a terminal of the same machine."""
    arguments = ["replay", str(files / "cases.csv"), "--mapping", str(files / f"{mapping}.toml"), *flags]
    return CliRunner().invoke(app, arguments, env=running.system.settings.environment())


@pytest.mark.services
def test_a_changed_mapping_is_refused_until_told_to_replace(running: Pipeline, files: Path) -> None:
    """Every step on real Kafka and the real engine: figures are those of one mapping, never a mixture."""

    def online() -> tuple[int, int]:
        return running.figures()["unit:H10", "online", "all"]

    steps: list[tuple[object, ...]] = []
    for mapping, flags in (
        ("wrong", ()),
        ("wrong", ()),
        ("right", ()),
        ("right", ("--remapped",)),
        ("right", ()),
        ("wrong", ()),
        ("wrong", ("--remapped",)),
        ("right", ("--remapped",)),
    ):
        rv = replay(running, files, mapping, *flags)
        steps.append((mapping, type(rv.exception) if rv.exit_code else "sent", online()))

    assert steps == [
        ("wrong", "sent", (0, 9)),
        ("wrong", "sent", (0, 9)),
        ("right", ContradictedError, (0, 9)),
        ("right", "sent", (3, 9)),
        ("right", "sent", (3, 9)),
        ("wrong", ContradictedError, (3, 9)),
        ("wrong", "sent", (0, 9)),
        ("right", "sent", (3, 9)),
    ]


@pytest.mark.services
def test_the_refusal_says_what_to_do(running: Pipeline, files: Path) -> None:
    """How many, one of them, why, and the way out."""
    (files / "cases.csv").write_text((files / "cases.csv").read_text().replace("\nc", "\nother-"))
    replay(running, files, "wrong")
    running.figures()

    rv = replay(running, files, "right")

    assert "cases.csv: 3 of its 9 entities are stored with the same version" in str(rv.exception)
    assert "such as other-0: " in str(rv.exception)
    assert "Nothing was sent. Say --remapped" in str(rv.exception)


@pytest.mark.services
def test_without_the_store_it_is_sent_and_said(running: Pipeline, files: Path) -> None:
    """Events reach Kafka while the store is away, as always; to replace what is stored needs the store."""
    env = {**running.system.settings.environment(), "NHIP_STORE_PORT": "1"}
    arguments = ["replay", str(files / "cases.csv"), "--mapping", str(files / "right.toml")]

    sent, refused = (CliRunner().invoke(app, [*arguments, *more], env=env) for more in ([], ["--remapped"]))

    assert sent.exit_code == 0
    assert "not compared with what is stored" in sent.stderr
    assert isinstance(refused.exception, StoreUnavailableError)
