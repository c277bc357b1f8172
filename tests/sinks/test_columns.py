"""From declared fields to columns: what each type becomes, and where the words beside it come from."""

from datetime import datetime
from typing import Annotated

import msgspec
import pyarrow as pa
import pytest

from contract.fields import about
from contract.kind import Kind
from contract.marks import Snapshot
from contract.meeting import MEETING
from contract.registry import KINDS
from sinks.columns import INSTANT, Column, columns_of, table_columns

Small = Annotated[int, msgspec.Meta(ge=0, le=9)]


class Odd(Snapshot, frozen=True, kw_only=True):
    """Fields of every type, with words in every place or none."""

    unit: Annotated[str, about("Unit")]
    said_inside: Annotated[Small, msgspec.Meta(description="Inside")] | None = None
    silent: int = 0
    silent_or_none: Small | None = None
    signed: Annotated[int, msgspec.Meta(ge=-1, le=9), about("Signed")] = 0
    endless: Annotated[int, msgspec.Meta(ge=0), about("Endless")] = 0
    moment: Annotated[datetime | None, about("Moment")] = None
    yes: Annotated[bool | None, about("Yes")] = None
    many: Annotated[str | None, msgspec.Meta(extra={"distinct": "many"}), about("Many")] = None


ODD = msgspec.structs.replace(MEETING, snapshot=Odd)


def test_each_type_has_its_column() -> None:
    """The smallest type that holds every value; NULL only where a value may lack; comments from any depth."""
    rv = {c.name: (c.type, c.comment) for c in table_columns(ODD)}

    assert {name: rv[name] for name in Odd.__struct_fields__} == {
        "unit": ("LowCardinality(String)", "Unit"),
        "said_inside": ("Nullable(UInt32)", "Inside"),
        "silent": ("Int64", ""),
        "silent_or_none": ("Nullable(UInt32)", ""),
        "signed": ("Int64", "Signed"),
        "endless": ("Int64", "Endless"),
        "moment": ("Nullable(DateTime64(6, 'UTC'))", "Moment"),
        "yes": ("Nullable(Bool)", "Yes"),
        "many": ("Nullable(String)", "Many"),
    }


def test_arrow_takes_what_the_columns_hold() -> None:
    """Times become instants of UTC, everything else its plain type."""
    rv = columns_of(ODD)

    types = dict(zip(rv.names, rv.types, strict=True))
    assert types["moment"] == INSTANT
    assert types["yes"] == pa.bool_()
    assert {types[name] for name in ("said_inside", "silent", "signed", "endless")} == {pa.int64()}
    assert {types[name] for name in ("unit", "many")} == {pa.string()}
    assert rv.has_field is False


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.key)
def test_no_shipped_column_is_without_words(kind: Kind) -> None:
    """Whoever opens the table with another tool reads what each column means; names are unique."""
    rv = table_columns(kind)

    assert [column for column in rv if not column.comment] == []
    assert len({column.name for column in rv}) == len(rv)
    assert isinstance(rv[0], Column)
