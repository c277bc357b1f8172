"""Personal text is refused and masked; codes, numbers and ids of systems are not."""

import json
import random
import string
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from uuid import UUID

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from contract.decode import EventError, Horizon, decode, decode_any
from contract.decode_batch import decode_batch
from contract.dossier import DOSSIER
from contract.personal import MASK, find_personal, mask, mask_record, surely_codes
from contract.registry import KINDS
from nhip.settings import load_calendar
from producers.examples import examples
from producers.mapping import load_mapping
from producers.replay import read_events
from producers.simulate.plan import Plan
from producers.simulate.stream import Simulation

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
HORIZON = Horizon(int(NOW.timestamp() * 1e6))
ROOT = Path(__file__).parents[2]

# Made up: no number here was ever given to anybody that this project knows of.
PERSONAL = {
    "001099000000": "a citizen number",
    "person-079201000000": "a citizen number",
    "H19/075310000000/2": "a citizen number",
    "001 099 000000": "a citizen number",
    "H15-260101-001099000000": "a citizen number",
    "0912000000": "a phone number",
    "case:0912000000": "a phone number",
    "+84912000000": "a phone number",
    "(+84)912000000": "a phone number",
    "+84 912 000 000": "a phone number",
    "0084-912000000": "a phone number",
    "0912 000 000": "a phone number",
    "SĐT: 02438000000": "a phone number",
    "phone/84912000000": "a phone number",
    "nobody@example.org": "an e-mail address",
    "mailto:no.body+1@mail.example.org": "an e-mail address",
    "CMND 012000000": "an identity card number",
    "chứng minh nhân dân: 012000000": "an identity card number",
    "STK 0000123456": "a bank account",
    "tài khoản: 12345678901234": "a bank account",
    MASK * 10: "a masked value",
}
CODES = [
    "H15.50.05.13-261008-0975",
    "000.00.04.G18-260101-0001",
    "G09.20-20260609-0092637",
    "G09.20-20260609-010092637",
    "H15-260101-0912345678",
    "1.005129",
    "2.000815.000.00.00.H55",
    "25195",
    "00070",
    "H19.12",
    "case-10011",
    "N77802",
    "H19.12-261121-0042/1795227303120000",
    "1795227303",
    "1795227303120",
    "1795227303120000",
    "1795227303120000000",
    "20261121091503",
    "202611210915",
    "000000012345",
    "0000012345",
    "0100109106",
    "cccd-261008-0975",
    "tk-103456789012",
    "onestop@H19.12",
    "550e8400-e29b-41d4-a716-001099000000",
    "01ARZ3NDEKTSV4RRFFQ69G5FAV",
    "507f1f77bcf86cd799439011",
    "ab0912345678cd",
    "Đất đai",
    "01/2026/QĐ-UBND",
]
digits = st.text("0123456789", min_size=1, max_size=25)
noise = st.text("0123456789-/.:_ @+()aZđ", max_size=40)


@pytest.mark.parametrize(("text", "what"), PERSONAL.items())
def test_what_is_refused(text: str, what: str) -> None:
    """Each form is named and wholly masked, and the quick look never passes it."""
    hidden = mask(text)

    assert find_personal(text) == what
    assert not surely_codes(f"H19.01\n{text}\nland")
    assert len(hidden) == len(text)
    assert text == hidden or find_personal(hidden) == "a masked value"


@pytest.mark.parametrize("text", CODES)
def test_what_is_a_code(text: str) -> None:
    """Codes and ids of systems pass, untouched."""
    assert find_personal(text) is None
    assert mask(text) == text


@given(
    agency=st.from_regex(r"[A-Z][0-9]{2}(\.[0-9]{2}){0,4}|000\.[0-9]{2}\.[0-9]{2}\.[A-Z][0-9]{2}", fullmatch=True),
    day=st.dates(datetime(2000, 1, 1).date(), datetime(2099, 12, 31).date()),  # noqa: DTZ001 - days only
    form=st.sampled_from(["%y%m%d", "%Y%m%d"]),
    number=st.from_regex(r"[0-9]{4,11}|(0[1-9]|1[0-8])[0-9]{4,5}", fullmatch=True),
    after=st.sampled_from(["", "/1795227303120000", "/3"]),
)
@settings(max_examples=3 * settings().max_examples, deadline=None)
def test_no_national_code_is_refused(agency: str, day: datetime, form: str, number: str, after: str) -> None:
    """Every agency, both lengths of dates, four to eleven digits, alone and as the beginning of an id."""
    assert find_personal(f"{agency}-{day.strftime(form)}-{number}{after}") is None


@given(number=st.integers(0, 10**20), width=st.integers(1, 9), prefix=st.sampled_from(["", "case-", "x/", "H1."]))
@settings(max_examples=3 * settings().max_examples, deadline=None)
def test_no_numeric_id_is_refused(number: int, width: int, prefix: str) -> None:
    """Numbers as databases write them, without zeros in front or with few."""
    assert find_personal(f"{prefix}{number:0{width}d}") is None


@given(st.uuids(), st.binary(min_size=16, max_size=32))
@example(UUID("550e8400-e29b-41d4-a716-001099000000"), b"")
@settings(deadline=None)
def test_no_random_id_is_refused(uuid: UUID, raw: bytes) -> None:
    """UUIDs and hexadecimal digests of any value."""
    assert find_personal(str(uuid)) is None
    assert find_personal(f"x/{uuid}/1") is None
    assert find_personal(raw.hex()) is None


@given(st.one_of(noise, st.builds(lambda a, b, c: a + b + c, noise, st.sampled_from(list(PERSONAL)), noise)))
@settings(max_examples=5 * settings().max_examples, deadline=None)
def test_the_quick_look_misses_nothing(text: str) -> None:
    """What it calls codes is never personal; masking is complete and done once."""
    if find_personal(text) is not None:
        assert not surely_codes(text)
        assert find_personal(mask(text)) in {None, "a masked value"}
    assert mask(mask(text)) == mask(text)


def test_real_and_simulated_events_pass() -> None:
    """0 false positives: both files, a week of the simulated province, the samples of every kind."""
    events = [
        *read_events(ROOT / "data/receipt.csv", load_mapping("receipt")).events,
        *read_events(ROOT / "data/fines.csv", load_mapping("fines")).events,
        *(event for _, event in islice(Simulation(Plan(), load_calendar(), 1_795_000_000).events(), 3_000)),
        *(event for kind in KINDS for event in examples(kind, 50, random.Random(1), NOW)),
    ]

    found = [decode_any(msgspec.json.encode(event), Horizon(2_000_000_000_000_000)) for event in events]

    assert len(found) == len(events) > 7_000


def event(**changes: object) -> bytes:
    """A dossier's event; ``data`` adds to its data."""
    (sample,) = examples(DOSSIER, 1, random.Random(1), NOW - timedelta(days=1))
    tree = msgspec.to_builtins(sample)
    data = changes.pop("data", {})
    assert isinstance(data, dict)
    return json.dumps({**tree, **changes, "data": {**tree["data"], **data}}, ensure_ascii=False).encode()


@pytest.mark.parametrize("name", ["source", "id", "subject", *(f"data.{name}" for name in DOSSIER.texts())])
def test_every_free_text_is_looked_at(name: str) -> None:
    """The refusal names the field, never the value; alone, in a batch, and behind an escape."""
    field = name.removeprefix("data.")
    value = event(data={field: "0912000000"}) if name != field else event(**{field: "0912000000"})
    escaped = value.replace(b'"0912000000"', b'"\\u0030912000000"')

    for bad in (value, escaped):
        with pytest.raises(EventError, match="looks like a phone number") as caught:
            decode(DOSSIER, bad, HORIZON)
        assert (caught.value.reason, caught.value.path) == ("personal", f"$.{name}")
        assert "0912000000" not in str(caught.value)
        batch = decode_batch(DOSSIER, [event(), bad, event()], HORIZON)
        assert [isinstance(one, EventError) for one in batch] == [False, True, False]


def test_the_texts_of_kinds() -> None:
    """Choices and times are no free texts; what a new kind declares is looked at by itself."""
    assert {kind.key: kind.texts() for kind in KINDS} == {
        "dossier": ("unit", "receiving_unit", "procedure", "field"),
        "payment": ("unit", "dossier"),
        "meeting": ("unit",),
        "document": ("unit", "dossier"),
    }


def test_errors_of_other_reasons_tell_no_value_either() -> None:
    """A number where a status should be, and in an unknown name."""
    for bad in (event(data={"status": "0912000000"}), event(data={"nobody@example.org": 1})):
        with pytest.raises(EventError) as caught:
            decode(DOSSIER, bad, HORIZON)
        assert caught.value.reason == "invalid"
        assert "0912000000" not in str(caught.value)
        assert "nobody@" not in str(caught.value)


@pytest.mark.parametrize(
    "value",
    [
        event(subject="case-0912000000"),
        event(data={"phone": "0912000000"}),
        event(data={"phone": 84912000000}).replace(b"84912000000", b"84912000000"),
        event(data={"cmnd": "012000000", "nobody@example.org": [{"x": "+84912000000"}]}),
        b'{"subject":"nobody@example.org","subject":"x"}',
        b'{"subject":"nobody\\u0040example.org"}',
        b"0912000000;nobody@example.org;\xff",
    ],
)
def test_records_are_masked_whatever_they_are(value: bytes) -> None:
    """Values, names, numbers behind a telling name, double names, escapes, and what is no JSON."""
    hidden = mask_record(value).decode()

    for planted in ("912000000", "012000000", "nobody@example", "nobody\\u0040"):
        assert planted not in hidden
    assert MASK in hidden


@given(st.text(string.printable, max_size=200))
@settings(deadline=None)
def test_records_without_personal_text_stay_as_they_are(text: str) -> None:
    """Byte for byte."""
    value = json.dumps({"a": text.replace("@", "").translate(dict.fromkeys(map(ord, string.digits)))}).encode()

    assert mask_record(value) == value


def test_a_masked_record_is_not_sent_again_as_it_is() -> None:
    """What was masked is no code: it must be replaced."""
    hidden = mask_record(event(subject="case-0912000000"))

    with pytest.raises(EventError, match="masked value") as caught:
        decode(DOSSIER, hidden, HORIZON)
    assert caught.value.reason == "personal"


@pytest.mark.parametrize("code", ["0700123455", "0900001239", "0901112220", "0700000090", "0900008001"])
def test_a_tax_code_is_told_from_a_phone_number_by_its_check_digit(code: str) -> None:
    """With its own last digit it is an organisation's code, with any other one a mobile number."""
    others = [f"{code[:-1]}{digit}" for digit in string.digits if digit != code[-1]]

    assert find_personal(code) is None
    assert mask(f"tax {code}, {others[0]}") == f"tax {code}, {MASK * 10}"
    assert {find_personal(other) for other in others} == {"a phone number"}
    assert find_personal(f"091{code[3:]}") == "a phone number"
