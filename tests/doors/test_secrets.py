"""Planted secrets: commands get them by reference, and no output, error, document or process list shows them."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil
import pytest

from tests.support.polling import write

PLANTED = "planted-Zk93x-secret"
ROOT = Path(__file__).parents[2]
REST_MAPPING = """
kind = "dossier"
layout = "snapshots"
source = "onestop/rest"
[subject]
column = "code"
[moments]
row = "changed"
[fields]
unit = { value = "H19.01" }
channel = { value = "online" }
status = { value = "processing" }
"""


class _Echo(BaseHTTPRequestHandler):
    """Refuses slowly and repeats what it was sent, as careless servers do."""

    protocol_version = "HTTP/1.0"

    def _answer(self) -> None:
        time.sleep(0.7)
        said = f'{{"error": "refused", "message": "you sent {self.headers.get("Authorization", "")}"}}'.encode()
        self.send_response(401)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    do_GET = do_POST = do_PUT = _answer  # noqa: N815 - names of the standard library

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def echo() -> Iterator[int]:
    """The port of a server that repeats secrets."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Echo)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()
    thread.join(10)


def run(folder: Path, *arguments: str) -> tuple[str, set[str]]:
    """Run the program; return all it said, and the arguments of it and its children while it ran."""
    environment = {**os.environ, "PLANTED_TOKEN": PLANTED, "PYTHONPATH": str(ROOT)}
    seen: set[str] = set()
    with subprocess.Popen(
        [sys.executable, "-m", "nhip", *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=folder, env=environment,
    ) as process:  # fmt: skip
        found = psutil.Process(process.pid)
        while process.poll() is None:
            try:
                seen |= {" ".join(one.cmdline()) for one in (found, *found.children(recursive=True))}
            except psutil.Error:
                break
            time.sleep(0.1)
        said, _ = process.communicate(timeout=60)
    return said, seen


def test_commands_that_take_secrets_do_not_show_them(tmp_path: Path, echo: int) -> None:
    """The store's password, Grafana's token, a source's token by variable, with debug logs."""
    held = tmp_path / "held"
    held.write_text(PLANTED)
    rest = f'[rest]\nurl = "http://127.0.0.1:{echo}/list"\nattempts = 1\n[rest.auth]\nkind = "bearer"\n'
    config = write(tmp_path, rest + 'token_env = "PLANTED_TOKEN"', mapping=REST_MAPPING)
    store = ["--set", f"store_port={echo}", "--set", f"store_password_file={held}", "--set", "log_level=debug"]
    commands = {
        "rates": [*store, "rates", "--json"],
        "push": ["dashboards", "push", "--url", f"http://127.0.0.1:{echo}", "--token-file", str(held)],
        "poll": ["poll", str(config), "--dry-run", "--json"],
    }  # fmt: skip

    rv: dict[str, tuple[str, set[str]]] = {}
    threads = [
        threading.Thread(target=lambda name=name, line=line: rv.update({name: run(tmp_path, *line)}))
        for name, line in commands.items()
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert set(rv) == set(commands)
    for said, seen in rv.values():
        assert "401" in said or "does not let" in said
        assert "Traceback" not in said
        assert seen
        assert PLANTED not in said
        assert not any(PLANTED in line for line in seen)
