"""Lines of keys in a TOML text."""

import tomllib

import pytest

from streams.toml_lines import Place, lines_of

TEXT = '''\
# [[rule]] in a comment
[defaults]
for = "10m" # for = "1m"

[[rule]]
id = "a"
to = [
  "unit",  # id = "x"
]
text = { vi = """
id = "not a key"
[[rule]]
""", en = "[x] = {" }

  [[ rule ]]
"id" = "b"
title.vi = "c"
title.en = "d"
[rule.text]
vi = 'e # '
en = "f"
[[rule]]
id = "c"
'''


def test_every_key_is_found_in_its_line() -> None:
    """Tables are counted by name; strings, comments and lists that look like keys are passed over."""
    rv = lines_of(TEXT)

    assert tomllib.loads(TEXT)["rule"][1]["id"] == "b"
    assert rv == {
        ("defaults", 0, ""): 2,
        ("defaults", 0, "for"): 3,
        ("rule", 0, ""): 5,
        ("rule", 0, "id"): 6,
        ("rule", 0, "to"): 7,
        ("rule", 0, "text"): 10,
        ("rule", 1, ""): 15,
        ("rule", 1, "id"): 16,
        ("rule", 1, "title"): 17,
        ("rule", 1, "text"): 19,
        ("rule", 2, ""): 22,
        ("rule", 2, "id"): 23,
    }


def test_lines_of_windows_count_alike() -> None:
    """An editor that writes CRLF changes no number."""
    assert lines_of(TEXT.replace("\n", "\r\n")) == lines_of(TEXT)


def test_keys_before_any_table_are_found() -> None:
    """They belong to the file itself."""
    assert lines_of("minimum_n = 3\n[defaults]\n") == {("", 0, "minimum_n"): 1, ("defaults", 0, ""): 2}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param('[[ "rule" ]] # one\nid = 1\n', {("rule", 0, ""): 1, ("rule", 0, "id"): 2}, id="a quoted name"),
        pytest.param(
            "[[rule]]\n[ rule . title . x ]\nvi = 1\n[[rule]]\n",
            {("rule", 0, ""): 1, ("rule", 0, "title"): 2, ("rule", 1, ""): 4},
            id="a table below the first one",
        ),
        pytest.param("[x.y]\nz = 1\n", {("x", 0, "y"): 1}, id="a table below none"),
        pytest.param(
            "a = [\n  [1],\n  [2]\n]\nb = 1\n", {("", 0, "a"): 1, ("", 0, "b"): 5}, id="a list within a list"
        ),
        pytest.param(
            "a = \"X]}\"\nb = 'X[{'\nc = 1 # ] } X\nd = 1\n",
            {("", 0, "a"): 1, ("", 0, "b"): 2, ("", 0, "c"): 3, ("", 0, "d"): 4},
            id="brackets in words",
        ),
        pytest.param(
            'a = \'\'\'\n[[rule]]\nid = 1\n\'\'\'\nb = """x \\""" y\n= ["""\nc = 1\n',
            {("", 0, "a"): 1, ("", 0, "b"): 5, ("", 0, "c"): 7},
            id="texts of several lines",
        ),
        pytest.param(
            'a.b = 1\n"c" = 2\na-_9 = 3\n', {("", 0, "a"): 1, ("", 0, "c"): 2, ("", 0, "a-_9"): 3}, id="keys"
        ),
        pytest.param(
            "a = 1\n[rule]\na = 2\na.b = 3\n", {("", 0, "a"): 1, ("rule", 0, ""): 2, ("rule", 0, "a"): 3}, id="first"
        ),
    ],
)
def test_what_only_looks_like_a_key_or_a_head_is_none(text: str, expected: dict[Place, int]) -> None:
    """The numbers are those of the lines in which an operator looks."""
    assert lines_of(text) == expected
