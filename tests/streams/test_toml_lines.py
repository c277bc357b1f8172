"""Lines of keys in a TOML text."""

import tomllib

from streams.toml_lines import lines_of

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
