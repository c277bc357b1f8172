"""The plan: which tables a back-up holds and in which order it reads them."""

from pathlib import Path

from sinks.backup.plan import DERIVED, known_tables, reading_order

DOC = Path(__file__).resolve().parents[3] / "docs" / "backup.md"


def test_what_refers_is_read_before_what_it_refers_to() -> None:
    """Positions before rows, alerts before messages; numbers of definitions and epochs after what carries them."""
    rv = reading_order(known_tables())

    assert rv[0] == "progress"
    assert rv.index("alerts") < rv.index("notifications")
    assert rv[-1] == "epochs"
    assert {"definitions", "topics"} == set(rv[-3:-1])


def test_every_table_is_held_or_left_out_with_a_reason() -> None:
    """A table that a later migration makes is held unless somebody says why not."""
    tables = known_tables()

    rv = reading_order([*tables, "made_later"])

    assert sorted([*rv, *DERIVED]) == sorted([*tables, "made_later"])


def test_the_document_decides_every_table() -> None:
    """docs/backup.md has a line for each table."""
    text = DOC.read_text("utf-8")

    rv = [table for table in known_tables() if f"`{table}`" not in text]

    assert rv == []
