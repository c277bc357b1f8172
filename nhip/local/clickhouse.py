"""A ClickHouse on this machine."""

import http.client
import os
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from nhip.local.errors import LocalServiceError, require_package
from nhip.local.folder import DataFolder
from nhip.local.ports import HOST, free_ports, require_free
from nhip.local.process import ServiceProcess
from nhip.local.users import READER, WRITER, own_passwords, password_file
from sinks.client import Login
from sinks.rights import ANY

__all__ = ["LocalClickHouse"]

START_TIMEOUT_S = 60.0
PING_TIMEOUT_S = 5.0
ROOT = Path(__file__).resolve().parents[2]


class LocalClickHouse:
    """ClickHouse's engine behind its HTTP interface, in a process of its own.

    data: its folder, created if absent; what was written survives a restart.
    port: where it listens; a free port is chosen when absent, and kept by a restart.
    database: the one in which its accounts have rights; else in each.
    """

    user, reader = WRITER, READER

    def __init__(self, data: Path, *, port: int | None = None, database: str = ANY) -> None:
        self._database = database
        self._folder = DataFolder(data)
        self._given_port = port
        self._port = port
        self._process: ServiceProcess | None = None

    @property
    def host(self) -> str:
        """The address it listens on."""
        return HOST

    @property
    def port(self) -> int:
        """The port it listens on."""
        if self._port is None:
            self._port = free_ports(1)[0]
        return self._port

    @property
    def url(self) -> str:
        """The server's address: "http://127.0.0.1:8123"."""
        return f"http://{HOST}:{self.port}"

    @property
    def password_file(self) -> Path:
        """Where the password of ``user`` is, once it has started."""
        return password_file(self._folder.path, WRITER)

    @property
    def reader_password_file(self) -> Path:
        """Where the password of ``reader`` is, once it has started."""
        return password_file(self._folder.path, READER)

    @property
    def login(self) -> Login:
        """Return ``user`` and its password, once it has started."""
        return Login(user=WRITER, password=self.password_file.read_text("utf-8").strip())

    def start(self) -> None:
        """Start it and block until it answers.

        Raises LocalServiceError when that fails, and leaves nothing running then.
        """
        if self._process is not None:
            raise LocalServiceError(f"ClickHouse in {self._folder.path} is running already")
        require_package("chdb")
        self._folder.acquire()
        process = self._child()
        try:
            if self._given_port is not None:
                require_free(self._given_port, "ClickHouse")
            own_passwords(self._folder.path)
            process.start()
            process.wait_ready(self._pinged, START_TIMEOUT_S)
        except BaseException:  # Ctrl-C too
            process.kill()
            self._folder.release()
            raise
        self._process = process

    def stop(self) -> None:
        """Stop in order: running queries finish or time out, data is on disk. May be repeated."""
        if self._process is not None:
            self._process.stop()
        self._ended()

    def kill(self) -> None:
        """SIGKILL it and wait for its end; it may be started again."""
        if self._process is not None:
            self._process.kill()
        self._ended()

    @property
    def died(self) -> bool:
        """Whether it has ended though nobody here ended it."""
        return self._process is not None and self._process.died

    def revive(self) -> None:
        """Start it again after it died, on the same port and data, and block until it answers.

        Raises LocalServiceError when that fails; may be repeated.
        """
        self.kill()
        self.start()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _child(self) -> ServiceProcess:
        data = self._folder.path
        search = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        return ServiceProcess(
            "ClickHouse",
            [sys.executable, "-m", "nhip.local.clickhouse_server", str(data), str(self.port), self._database],
            data / "server.log",
            # One zone whatever the machine's: SQL names the zone wherever a day begins.
            environment={"PYTHONPATH": search, "TZ": "UTC", "PYTHONUNBUFFERED": "1"},
            keep_open=[self._folder.descriptor],
        )

    def _ended(self) -> None:
        self._process = None
        self._folder.release()

    def _pinged(self) -> bool:
        connection = http.client.HTTPConnection(HOST, self.port, timeout=PING_TIMEOUT_S)
        try:
            connection.request("GET", "/ping")
            return connection.getresponse().read() == b"Ok.\n"
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
