"""Planted passwords of the store's accounts: no output, error, log, document or process list shows them."""

import threading
from pathlib import Path

import httpx
import psutil
import pytest

from nhip.local import LocalClickHouse
from nhip.local.users import StoreUsers
from tests.doors.test_secrets import PLANTED, echo, run
from tests.support.store_account import Account

__all__ = ["echo"]

READER = "reader-Qw71b-secret"


def test_commands_do_not_show_either_password(tmp_path: Path, echo: int) -> None:
    """Of who writes and of who looks, against a server that repeats what it is sent, with debug logs."""
    files = {"store_password_file": PLANTED, "store_reader_password_file": READER}
    flags = [f"--set=store_port={echo}", "--set=store_reader_user=nhip_reader", "--set=log_level=debug"]
    for name, secret in files.items():
        (tmp_path / name).write_text(f"{secret}\n")
        flags.append(f"--set={name}={tmp_path / name}")
    commands = {
        "looks": ["rates", "--json"],
        "writes": ["prepare"],
    }

    rv: dict[str, tuple[str, set[str]]] = {}
    threads = [
        threading.Thread(target=lambda name=name, line=line: rv.update({name: run(tmp_path, *flags, *line)}))
        for name, line in commands.items()
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)

    assert set(rv) == set(commands)
    assert "store_reader_password_file" in rv["looks"][0]
    assert "store_password_file" in rv["writes"][0]
    for said, seen in rv.values():
        assert "Traceback" not in said
        assert seen
        assert not any(secret in text for secret in files.values() for text in (said, *seen))


@pytest.mark.services
def test_the_embedded_store_keeps_them_to_itself(tmp_path: Path) -> None:
    """Not in its log, its process list and environment, its errors, or any file but the two that are for them."""
    with LocalClickHouse(tmp_path, database="nhip") as server:
        passwords = [file.read_text().strip() for file in (server.password_file, server.reader_password_file)]
        for password in passwords:
            answers = [
                Account(server.url, "wrong", password).ask("SELECT 1").text,
                Account(server.url, password, "wrong").ask("SELECT 1").text,
                httpx.post(server.url, params={"user": "nhip", "password": f"{password}x", "query": "SELECT 1"}).text,
            ]
            assert not any(password in text for text in answers)
        broken = Account(server.url, "nhip", passwords[0]).ask("SELECT nonsense FROM nowhere").text
        lists = [
            text
            for process in psutil.Process().children(recursive=True)
            for text in (*process.cmdline(), *process.environ().values())
        ]

    assert "Code:" in broken
    assert lists
    assert not any(password in text for password in passwords for text in (broken, *lists))
    holders = [
        file.relative_to(tmp_path).as_posix()
        for file in tmp_path.rglob("*")
        if file.is_file() and any(password.encode() in file.read_bytes() for password in passwords)
    ]
    assert sorted(holders) == ["passwords/nhip", "passwords/nhip_reader"]
    assert {user.name for user in StoreUsers(tmp_path).read()} == {"nhip", "nhip_reader"}
