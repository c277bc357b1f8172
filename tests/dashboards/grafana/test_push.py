"""The push against a server that behaves as Grafana 12 and 13 do."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from dashboards.grafana.adapter import Grafana, path
from dashboards.grafana.errors import (
    GrafanaAnswerError,
    GrafanaConflictError,
    GrafanaError,
    GrafanaRefusedError,
    GrafanaTooOldError,
    GrafanaUnreachableError,
)
from dashboards.grafana.push import push
from dashboards.screens import SCREENS
from nhip.local.ports import free_ports
from tests.dashboards.grafana.fake import TOKEN, FakeGrafana, Fault

WHOLE = 1 + 2 * (len(SCREENS) + 1) + 1 + 2
"""The folder; every screen and that of a unit in both languages; the rules; both playlists."""

BOARD = "nhip-overview-vi"


@pytest.mark.parametrize("version", ["12.0.0", "12.3.0", "13.0.1", "13.3.0"])
def test_the_second_push_writes_nothing(version: str, rendered: dict[str, str]) -> None:
    """The first creates everything in its folder; the second only reads."""
    with FakeGrafana(version) as fake:
        first = push(Grafana(fake.url, TOKEN), rendered)
        written = len(fake.writes)
        second = push(Grafana(fake.url, TOKEN), rendered)

        assert {outcome.done for outcome in first} == {"created"}
        assert written == len(first) == WHOLE
        assert {outcome.done for outcome in second} == {"unchanged"}
        assert len(fake.writes) == written
        assert {board["meta"]["folderUid"] for board in fake.boards.values()} == {"nhip"}
        assert fake.playlists["nhip-wall-vi"]["spec"]["items"][0]["value"] == BOARD
        rules = [h for (_, where), h in zip(fake.writes, fake.headers, strict=True) if "rule-groups" in where]
        assert [headers["X-Disable-Provenance"] for headers in rules] == ["true"]


def test_only_what_differs_is_written(rendered: dict[str, str]) -> None:
    """A panel, a rule, a playlist and a folder that somebody changed in the browser are set right again."""
    with FakeGrafana() as fake:
        push(Grafana(fake.url, TOKEN), rendered)
        fake.boards[BOARD]["dashboard"]["panels"][0]["targets"][0]["rawSql"] = "SELECT 1"
        fake.boards["nhip-units-en"]["meta"]["folderUid"] = ""
        fake.groups["nhip-pipeline"]["rules"][0]["data"][2]["model"]["conditions"][0]["evaluator"]["params"] = [9]
        fake.playlists["nhip-wall-en"]["spec"]["interval"] = "5m"
        fake.folders["nhip"]["title"] = "?"

        outcomes = push(Grafana(fake.url, TOKEN), rendered)

        updated = [outcome.what for outcome in outcomes if outcome.done == "updated"]
        assert updated == [
            "folder nhip",
            f"dashboard {BOARD}",
            "dashboard nhip-units-en",
            "alert rules nhip-pipeline",
            "playlist nhip-wall-en",
        ]
        assert {outcome.done for outcome in push(Grafana(fake.url, TOKEN), rendered)} == {"unchanged"}


def test_a_change_meanwhile_is_not_overwritten(rendered: dict[str, str]) -> None:
    """412 of a dashboard and 409 of a playlist say that somebody else saved."""
    with FakeGrafana() as fake:
        push(Grafana(fake.url, TOKEN), rendered)
        fake.racing = True
        fake.boards[BOARD]["dashboard"]["title"] = "changed"
        with pytest.raises(GrafanaConflictError, match=r"412 .*changed by someone else.*push again"):
            push(Grafana(fake.url, TOKEN), rendered)
        assert fake.boards[BOARD]["dashboard"]["title"] == "changed"

        fake.boards[BOARD]["dashboard"]["title"] = json.loads(rendered[f"dashboards/{BOARD}.json"])["title"]
        fake.playlists["nhip-wall-vi"]["spec"]["interval"] = "1s"
        with pytest.raises(GrafanaConflictError, match="409"):
            push(Grafana(fake.url, TOKEN), rendered)


@pytest.mark.parametrize("version", ["11.6.3", "9.5.0", "", "dev"])
def test_an_old_grafana_gets_nothing(version: str, rendered: dict[str, str]) -> None:
    """Older than 12, or unknown: a typed error before the first write."""
    with FakeGrafana(version) as fake:
        with pytest.raises(GrafanaTooOldError, match="12 or newer"):
            push(Grafana(fake.url, TOKEN), rendered)
        assert fake.writes == []


def test_a_hidden_version_is_asked_for_elsewhere() -> None:
    """With hide_version only those who have signed in learn it."""
    with FakeGrafana("13.0.0", health_hides_version=True) as fake:
        assert Grafana(fake.url, TOKEN).version() == "13.0.0"


def test_nobody_answers() -> None:
    """A closed port and an address that is none give the same typed error with a remedy."""
    (port,) = free_ports(1)
    with pytest.raises(GrafanaUnreachableError, match="check the address"):
        Grafana(f"http://127.0.0.1:{port}", TOKEN, timeout_s=2).version()
    for wrong in ("grafana.example", "ftp://x", "http://", "http://x:99999"):
        with pytest.raises(GrafanaUnreachableError, match="https://host"):
            Grafana(wrong, TOKEN)


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        (Fault(200, b"<html>sign in</html>"), GrafanaAnswerError, "login page or a proxy"),
        (Fault(502, b"<html>no message</html>"), GrafanaAnswerError, "502 <html>no message"),
        (Fault(500, b'{"message": "database is locked"}', "application/json"), GrafanaAnswerError, "is locked"),
        (Fault(400, b"[]", "application/json"), GrafanaAnswerError, "400"),
        (Fault(403, b"", "application/json"), GrafanaRefusedError, "service account"),
        (Fault(302, b"", location="/login"), GrafanaAnswerError, "redirected to /login"),
    ],
)
def test_wrong_answers_are_typed(fault: Fault, kind: type[Exception], words: str, rendered: dict[str, str]) -> None:
    """What the client library would stumble over becomes our errors."""
    with FakeGrafana(faults={("POST", "/api/dashboards/db"): fault}) as fake, pytest.raises(kind, match=words):
        push(Grafana(fake.url, TOKEN), rendered)


def test_empty_answers_are_nothing() -> None:
    """A success without a body is no error."""
    with FakeGrafana(faults={("PUT", "/api/x"): Fault(204, b"")}) as fake:
        assert Grafana(fake.url, TOKEN).put("/x", {}) is None


def test_a_wrong_token_and_a_missing_source(rendered: dict[str, str]) -> None:
    """Both are told before the first write."""
    with FakeGrafana() as fake:
        with pytest.raises(GrafanaRefusedError, match="token of a service account"):
            push(Grafana(fake.url, "glsa_wrong"), rendered)
        fake.source = False
        with pytest.raises(GrafanaError, match=r"no data source.*provisioning/datasources"):
            push(Grafana(fake.url, TOKEN), rendered)
        assert fake.writes == []


def test_dashboards_from_files_are_left_to_the_files(rendered: dict[str, str]) -> None:
    """Equal ones are unchanged; one that differs cannot be pushed over."""
    with FakeGrafana() as fake:
        push(Grafana(fake.url, TOKEN), rendered)
        fake.provisioned = True
        assert {outcome.done for outcome in push(Grafana(fake.url, TOKEN), rendered)} == {"unchanged"}
        fake.boards[BOARD]["dashboard"]["tags"] = ["sum:old"]
        with pytest.raises(GrafanaError, match="comes from a file on the server"):
            push(Grafana(fake.url, TOKEN), rendered)


def test_a_path_and_another_organisation(rendered: dict[str, str]) -> None:
    """Grafana below a path, and a token of organisation 3."""
    with FakeGrafana(prefix="/grafana", organisation=3) as fake:
        push(Grafana(fake.url + "/", TOKEN), rendered)
        assert {outcome.done for outcome in push(Grafana(fake.url, TOKEN), rendered)} == {"unchanged"}


def test_names_are_quoted() -> None:
    """Whatever a name holds, it stays one part of the path."""
    assert path("a/b", "Đơn vị?") == "/a%2Fb/%C4%90%C6%A1n%20v%E1%BB%8B%3F"


def test_the_command(tmp_path: Path) -> None:
    """`nhip dashboards push` tells what it did, and one sentence when it cannot."""
    token = tmp_path / "token"
    token.write_text(TOKEN + "\n")
    with FakeGrafana() as fake:
        first, second = (_nhip("--url", fake.url, "--token-file", str(token)) for _ in range(2))
        token.write_text("wrong")
        refused = _nhip("--url", fake.url, "--token-file", str(token))
    assert first.returncode == second.returncode == 0
    assert f"{WHOLE} of {WHOLE} written" in first.stderr
    assert f"0 of {WHOLE} written" in second.stderr
    assert refused.returncode == 78
    assert "Traceback" not in refused.stderr
    absent = _nhip("--url", "http://127.0.0.1:1", "--token-file", str(tmp_path / "none"))
    assert absent.returncode == 2


def _nhip(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "nhip", "dashboards", "push", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
