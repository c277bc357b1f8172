"""Mending refused records: fields, jq, and nothing that reaches beyond the event."""

import json
import random
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from contract.decode import Horizon
from contract.dossier import DOSSIER
from contract.marks import epoch_us
from producers import mend as module
from producers.examples import examples
from producers.jq_guard import FORBIDDEN, forbidden_word
from producers.mend import Fix, Mended, MendError, mend, parse_fix, run_jq, verdict

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
HORIZON = Horizon(epoch_us(NOW))
EVENT = next(iter(examples(DOSSIER, 1, random.Random(1), NOW)))
GOOD = msgspec.json.encode(EVENT)
KEY = EVENT.subject.encode()


def broken(**data: object) -> bytes:
    """The good event with other data."""
    plain = json.loads(GOOD)
    return json.dumps({**plain, "data": {**plain["data"], **data}}).encode()


def test_fields_are_set_and_the_verdict_changes() -> None:
    """A field of the data and one of the envelope; the key follows the subject."""
    fixes = [parse_fix("data.channel=online"), parse_fix("data.fee_vnd=15000"), parse_fix("subject=new-1")]

    (rv,) = mend([(KEY, broken(channel="internet"))], fixes, None)

    before = verdict(DOSSIER.topic, KEY, broken(channel="internet"), HORIZON)
    assert before is not None
    assert before.reason == "invalid"
    assert verdict(DOSSIER.topic, rv.key, rv.value, HORIZON) is None
    assert rv.key == b"new-1"
    assert json.loads(rv.value)["data"]["fee_vnd"] == 15_000


def test_values_are_json_or_text() -> None:
    """Numbers, truth, null and quoted text are JSON; anything else is text as it stands."""
    texts = ["a.b=1", "a=true", "a=null", 'a="1"', "a=H19.01", "a=x=y", "a="]

    rv = [parse_fix(text) for text in texts]

    assert rv == [
        Fix(("a", "b"), 1), Fix(("a",), value=True), Fix(("a",), None), Fix(("a",), "1"),
        Fix(("a",), "H19.01"), Fix(("a",), "x=y"), Fix(("a",), ""),
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["data.unit", "=x", "a..b=1"])
def test_a_slip_in_a_fix(text: str) -> None:
    """The form stands in the message."""
    with pytest.raises(MendError, match="FIELD=VALUE"):
        parse_fix(text)


def test_jq_mends_what_a_field_cannot() -> None:
    """Fields are renamed and dropped, numbers computed; large versions stay exact."""
    bad = broken(applicant="x")

    (rv,) = mend([(KEY, bad)], [], "del(.data.applicant) | .version += 1")

    assert verdict(DOSSIER.topic, rv.key, rv.value, HORIZON) is None
    assert json.loads(rv.value)["version"] == EVENT.version + 1


def test_the_key_alone_is_mended_by_the_identity() -> None:
    """A record under another key is taken once the key is its subject."""
    (same,) = mend([(b"other", GOOD)], [], None)
    (rv,) = mend([(b"other", GOOD)], [], ".")

    assert verdict(DOSSIER.topic, same.key, same.value, HORIZON) is not None
    assert same == Mended(b"other", GOOD)
    assert verdict(DOSSIER.topic, rv.key, rv.value, HORIZON) is None


def test_what_cannot_be_mended_says_why() -> None:
    """No JSON, no object, an error of the program, no result and two results: each is told, the bytes stay."""
    cut = GOOD[:-5]

    (no_json, a_list, good) = mend(
        [(KEY, cut), (KEY, b"[1]"), (KEY, GOOD)], [Fix(("data", "unit"), "x")], ".data.unit.x"
    )

    assert no_json.value == cut
    assert all(one.error for one in (no_json, a_list, good))
    assert good.value == GOOD
    assert [str(answer) for answer in run_jq("empty", ["1"])] == [
        "the program gives nothing: exactly one event is needed"
    ]
    assert "more than one" in str(run_jq("1, 2", ["1"])[0])
    assert "no jq" in str(run_jq(". |", ["1"])[0])


@pytest.mark.parametrize(
    "program",
    [
        "env.HOME", "$ENV.HOME", "$ ENV", '"\\(env)"', '"a\\("b")" + env.X + "c"', '"\\("\\(env)")"', ". as $x|env",
        'import "a" as $a; .',
        'include "a"; .', "# x\nenv", "# x\renv", "[inputs]", "input_filename", "debug", "halt",
        '.a["x\\(env.HOME)"]', "(1)|env", '"\\((1)|(env))"', "get_search_list",
    ],
)  # fmt: skip
def test_words_that_reach_out_are_refused(program: str) -> None:
    """Wherever they hide."""
    with pytest.raises(MendError, match="beyond the event"):
        run_jq(program, ["{}"])


@pytest.mark.parametrize(
    "program",
    [
        ".env",
        '.data.unit = "env"',
        "# env\n.",
        '{"import": .}',
        '"a \\(.b) env"',
        ".environment",
        '."env"',
        '"\\"env"',
    ],
)
def test_the_same_letters_elsewhere_are_allowed(program: str) -> None:
    """Names of fields, text and comments reach nothing."""
    assert forbidden_word(program) is None
    assert len(run_jq(program, ['{"env": 1, "b": 2}'])) == 1


def test_the_process_has_no_environment_and_no_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even a program that passed the guard finds nothing."""
    (tmp_path / "secret.json").write_text('["planted-secret"]')
    monkeypatch.setenv("NHIP_SECRET", "leak")
    monkeypatch.setattr(module, "forbidden_word", lambda _: None)

    environment = run_jq("env, $ENV | .NHIP_SECRET", ["{}"])
    names = run_jq("[env, $ENV]", ["{}"])
    file = run_jq(f'import "secret" as $s {{search: "{tmp_path}"}}; $s', ["{}"])

    assert "leak" not in str(environment)
    assert names == ["[{}, {}]"]
    assert "planted-secret" not in str(file)


def test_time_and_memory_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program without end is ended, one that takes all memory too."""
    monkeypatch.setattr(module, "JQ_TIMEOUT_S", 1.5)

    with pytest.raises(MendError, match="longer than"):
        run_jq("last(repeat(.))", ["1"])
    with pytest.raises(MendError, match=r"longer|to its end"):
        run_jq("[range(1e12)]", ["1"])


def test_every_forbidden_word_is_found() -> None:
    """The list and the lexer agree."""
    assert all(forbidden_word(f". | {word}") == word for word in FORBIDDEN)
