"""``nhip intake-token``, and the two doors of one server: neither token opens the other."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from dashboards.access import Access, Mode, TokenFile
from nhip.cli import app
from producers.intake import intake_router
from producers.tokens import AccessError
from tests.support.intake import Desk, event
from tests.support.screens import client, place


def run(folder: Path, *arguments: str) -> Any:
    """Run the program with tokens in a folder."""
    options = ["--set", f"intake_tokens_file={folder / 'tokens.json'}"]
    return CliRunner().invoke(app, [*options, "intake-token", *arguments])


def test_create_list_revoke(tmp_path: Path) -> None:
    """A token is printed once, listed with its limits and never itself, and revoked by name."""
    made = run(tmp_path, "create", "--name", "bank", "--source", "bank/*", "--kind", "payment", "--expires", "365d")
    listed = run(tmp_path, "list", "--json")
    shown = run(tmp_path, "list")
    revoked = run(tmp_path, "revoke", "--name", "bank")

    assert [r.exit_code for r in (made, listed, shown, revoked)] == [0, 0, 0, 0]
    secret = made.stdout.split()[0]
    (found,) = json.loads(listed.stdout)
    assert (found["sources"], found["kinds"]) == (["bank/*"], ["payment"])
    good_for = datetime.fromisoformat(found["expires"]) - datetime.fromisoformat(found["created"])
    assert good_for == timedelta(days=365)
    assert "bank/*" in shown.stdout
    assert secret not in listed.stdout + shown.stdout
    assert json.loads(run(tmp_path, "list", "--json").stdout) == []


def test_an_unknown_unit_is_refused(tmp_path: Path) -> None:
    """A slip in a unit's code would make a token that permits nothing."""
    made = run(tmp_path, "create", "--name", "a", "--source", "*", "--unit", "nowhere")

    assert isinstance(made.exception, AccessError)
    assert "nowhere" in str(made.exception)


@pytest.mark.parametrize("mode", [Mode.LOOPBACK, Mode.PUBLIC, Mode.TOKENS])
def test_each_token_opens_its_own_door(tmp_path: Path, mode: Mode) -> None:
    """The intake wants its token whoever may look at the wall; a wall token does not send, an intake's not look."""
    desk, walls = Desk(tmp_path), TokenFile(tmp_path / "walls.json")
    sends, looks = desk.token(), walls.create("wall", [], datetime.now(UTC))
    access = Access(mode, walls if mode is Mode.TOKENS else None, place().below)

    with client(access=access, routers=[intake_router(desk.intake)]) as http:

        def post(secret: str | None) -> int:
            headers = {} if secret is None else {"Authorization": f"Bearer {secret}"}
            return int(http.post("/v1/events", json=event(), headers=headers).status_code)

        posted = [post(None), post(looks), post(sends)]
        looked = http.get("/api/units", headers={"Authorization": f"Bearer {sends}"}).status_code
        strange = http.get("/v1/events", headers={"Authorization": f"Bearer {sends}"})
        described = http.get("/api/openapi.json", headers={"Authorization": f"Bearer {looks}"}).json()

    assert posted == [401, 401, 200]
    assert looked == (401 if mode is Mode.TOKENS else 200)
    assert (strange.status_code, strange.json()["status_code"]) == (405, 405)
    operation = described["paths"]["/v1/events"]["post"]
    assert {"200", "207", "400", "401", "413", "415", "422", "429", "503"} <= set(operation["responses"])
    assert set(operation["requestBody"]["content"]) > {"application/json", "application/x-ndjson"}
    assert operation["security"] == [{"intakeToken": []}]
