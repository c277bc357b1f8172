"""One user of a real server, made the embedded engine's only one: its own access control, by our statements.

    python -m tests.support.engine_user DATA < {"statements": […], "queries": […]}

The engine has no place where CREATE USER could put one. What the statements say, rights, conditions on rows and
limits, is handed to it in its file of users, which the same code reads.
"""

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import chdb

from tests.support.store_account import Answer

__all__ = ["as_user"]


def as_user(data: Path, statements: Sequence[str], queries: Sequence[str]) -> list[Answer]:
    """Run queries on the engine in DATA, which must not be open, as the user that the statements make."""
    sent = json.dumps({"statements": list(statements), "queries": list(queries)})
    ran = subprocess.run(
        [sys.executable, "-m", "tests.support.engine_user", str(data)],
        input=sent, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    return [Answer(200 if code == 0 else 500, code, text) for code, text in json.loads(ran.stdout)]


def users_xml(statements: Sequence[str]) -> str:
    """Return the engine's file of users."""
    grants, filters, settings, limits = "", "", "", ""
    for text in statements:
        if found := re.fullmatch(r"(GRANT .+) TO \w+", text, re.DOTALL):
            grants += f"<query>{escape(found[1])}</query>"
        elif found := re.fullmatch(r"CREATE ROW POLICY OR REPLACE \w+ ON nhip\.(\w+)\s+USING (.+) TO \w+", text):
            filters += f"<{found[1]}><filter>{escape(found[2])}</filter></{found[1]}>"
        elif text.startswith("CREATE SETTINGS PROFILE"):
            for key, value, bounds in re.findall(r"^    (\w+) = (\S+?)((?: MIN.*?)?),?$", text, re.MULTILINE):
                settings += f"<{key}>{value.strip(chr(39))}</{key}>"
                if low_high := re.search(r"MIN (\d+) MAX (\d+) CHANGEABLE_IN_READONLY", bounds):
                    limits += f"<{key}><min>{low_high[1]}</min><max>{low_high[2]}</max></{key}>"
    assert grants
    return (
        f"<clickhouse><profiles><default>{settings}<constraints>{limits}</constraints></default></profiles>"
        "<quotas><default/></quotas><users><default><password></password><networks><ip>::/0</ip></networks>"
        f"<profile>default</profile><quota>default</quota><grants>{grants}</grants>"
        f"<databases><nhip>{filters}</nhip></databases></default></users></clickhouse>"
    )


def main(data: Path) -> None:
    """Read statements and queries, print the answers."""
    asked: dict[str, Any] = json.load(sys.stdin)
    (data / "as-user.xml").write_text(users_xml(asked["statements"]))
    connection = chdb.connect(
        f"{data / 'store'}?config-file={data / 'engine.xml'}&users_config={data / 'as-user.xml'}"
    )
    answers: list[tuple[int, str]] = []
    for sql in asked["queries"]:
        try:
            answers.append((0, connection.query(sql, "TabSeparated").bytes().decode()))
        except (chdb.ChdbError, RuntimeError) as error:
            found = re.search(r"Code: (\d+)", str(error))
            answers.append((int(found[1]) if found else -1, str(error)))
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
