"""docs/connect.md as its reader follows it: every file is written, every command run, and the rates equal SQL."""

import io
import os
import random
import re
import shlex
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from unittest.mock import patch

import pytest
import structlog

from nhip.cli import main
from nhip.settings import Settings
from tests.support.pipeline import DATA, Pipeline, pipeline

pytestmark = pytest.mark.services

PAGE = Path(__file__).parents[2] / "docs" / "connect.md"
BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PATIENCE_S = 60.0
"""Longest wait until the figures follow the source; some six times what a round and a full comparison take."""

TRUTH = """
SELECT don_vi, 'online', 'all', sum(kenh = 'Trực tuyến'), count(*) FROM ho_so
WHERE trang_thai != 'Từ chối' GROUP BY don_vi
UNION ALL
SELECT don_vi, 'on_time', 'all', sum(ngay_ket_thuc <= ngay_hen_tra), count(*) FROM ho_so
WHERE trang_thai = 'Đã trả kết quả' GROUP BY don_vi
UNION ALL
SELECT don_vi, 'overdue', 'now', sum(ngay_hen_tra < strftime('%Y-%m-%d %H:%M:00', 'now', '+7 hours')), count(*)
FROM ho_so WHERE trang_thai IN ('Đang xử lý', 'Yêu cầu bổ sung') GROUP BY don_vi
"""

Figures = dict[tuple[str, str, str], tuple[int, int]]


class Reader:
    """Somebody who follows the page in a folder."""

    def __init__(self, folder: Path, running: Pipeline) -> None:
        self.folder = folder
        self.running = running
        bin_folder = str(Path(sys.executable).parent)
        self.environment = {
            **os.environ,
            **running.system.settings.environment(),
            "PATH": bin_folder + os.pathsep + os.environ["PATH"],
        }
        self.poller: subprocess.Popen[bytes] | None = None
        self.pauses = 0
        self.ran: list[str] = []

    def follow(self, language: str, name: str, text: str) -> None:
        """Do what one block of the page says."""
        if name:
            (self.folder / name).write_text(text, "utf-8")
        if language == "sql":
            self.sql(text)
        if language != "sh":
            return
        for line in text.splitlines():
            if line.startswith("export ") or line == "nhip up":
                continue  # the pipeline stands for it
            if line == "nhip poll poll.toml":
                self.start_poller()
            else:
                self.run(line)
            self.ran.append(line)
            if line == "python onestop.py truth" and "nhip poll poll.toml --once" in self.ran:
                self.pause()

    def run(self, line: str) -> None:
        """Run one command, which must succeed; those of the program in this process, which spares its start."""
        if line.startswith("nhip "):
            code, said = program(line)
        else:
            done = subprocess.run(
                ["bash", "-c", line],  # noqa: S607 - as the reader's shell does
                cwd=self.folder,
                env=self.environment,
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
            code, said = done.returncode, done.stdout + done.stderr
        assert code == 0, f"{line}\n{said}"

    def start_poller(self) -> None:
        """Let it run in a terminal of its own."""
        with self.said.open("ab") as log:
            self.poller = subprocess.Popen(
                [sys.executable, "-m", "nhip", "poll", "poll.toml"],
                cwd=self.folder,
                env={**self.environment, "PYTHONPATH": str(PAGE.parents[1])},
                stdout=log,
                stderr=log,
            )

    def stop_poller(self) -> None:
        """Ctrl-C."""
        if self.poller is not None:
            self.poller.send_signal(signal.SIGINT)
            assert self.poller.wait(30) == 0, self.said.read_text()
            self.poller = None

    @property
    def said(self) -> Path:
        """What the poller prints."""
        return self.folder / "poller.log"

    def sql(self, *statements: str) -> None:
        """Somebody works in the system."""
        with closing(sqlite3.connect(self.folder / "onestop.db", timeout=60)) as db, db:
            for statement in statements:
                db.execute(statement)

    def truth(self) -> Figures:
        """SQL on the source: by unit, and for the province."""
        figures: Figures = {}
        with closing(sqlite3.connect(self.folder / "onestop.db", timeout=60)) as db:
            for unit, indicator, window, good, count in db.execute(TRUTH):
                for scope in (f"unit:{unit}", "unit:75"):
                    before = figures.get((scope, indicator, window), (0, 0))
                    figures[scope, indicator, window] = (before[0] + good, before[1] + count)
        return figures

    def pause(self) -> None:
        """Nobody works: the rates become what SQL says of the source."""
        self.pauses += 1
        deadline_s = time.monotonic() + PATIENCE_S
        while True:
            published, truth = self.running.figures(), self.truth()
            rates = {key: published.get(key) for key in truth}
            if rates == truth:
                return
            if time.monotonic() > deadline_s or (self.poller is not None and self.poller.poll() is not None):
                assert rates == truth, self.said.read_text()[-4000:] if self.said.exists() else ""
            time.sleep(0.3)

    def wait_for(self, words: str) -> None:
        """The poller says something."""
        deadline_s = time.monotonic() + PATIENCE_S
        while words not in self.said.read_text("utf-8"):
            assert time.monotonic() < deadline_s, self.said.read_text()[-4000:]
            time.sleep(0.1)


def program(line: str) -> tuple[int, str]:
    """Exit code and words of one command of the program."""
    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said), patch.object(sys, "argv", shlex.split(line)):
        try:
            main()
        except SystemExit as end:
            return int(end.code or 0), said.getvalue()
        finally:
            structlog.reset_defaults()
    return 0, said.getvalue()


@contextmanager
def reading(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reader]:
    """A folder as the project's: its data is there, and the system is up."""
    work = folder / "work"
    work.mkdir()
    (work / "data").symlink_to(DATA, target_is_directory=True)
    with pipeline(folder / "system", settings=Settings(clock="wall")) as running:
        reader = Reader(work, running)
        monkeypatch.chdir(work)
        for name, value in running.system.settings.environment().items():
            monkeypatch.setenv(name, value)
        try:
            yield reader
        finally:
            if reader.poller is not None:
                reader.poller.kill()
                reader.poller.wait()


LIES = (
    "UPDATE ho_so SET kenh = 'Trực tiếp' WHERE {some}",
    "UPDATE ho_so SET trang_thai = 'Đang xử lý', ngay_ket_thuc = NULL, cap_nhat = {back} WHERE {some}",
    "UPDATE ho_so SET kenh = 'Trực tuyến', cap_nhat = {ahead} WHERE {some}",
    "UPDATE ho_so SET don_vi = '25195' WHERE {some}",
    "DELETE FROM ho_so WHERE {some}",
    """INSERT INTO ho_so SELECT 'L' || substr(ma_ho_so, 2), don_vi, linh_vuc, kenh, trang_thai, ngay_tiep_nhan,
    ngay_hen_tra, ngay_ket_thuc, {back} FROM ho_so
    WHERE {some} AND ma_ho_so LIKE 'H%' AND 'L' || substr(ma_ho_so, 2) NOT IN (SELECT ma_ho_so FROM ho_so)""",
)
"""What a source should not do, and does: changes that keep or set back their time, clocks ahead, moves, deletions."""


def lies(chance: random.Random) -> list[str]:
    """Some of each."""
    some = "ma_ho_so IN (SELECT ma_ho_so FROM ho_so ORDER BY random() LIMIT {})"
    times = {"ahead": "datetime('now', '+8 hours')", "back": "datetime('now', '-20 days')"}
    return [lie.format(some=some.format(chance.randint(5, 40)), **times) for lie in LIES]


def test_walk_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page from the first block to the last; then a source that lies, while the poller runs."""
    chance = random.Random(7)
    with reading(tmp_path, monkeypatch) as reader:
        for language, name, text in BLOCK.findall(PAGE.read_text("utf-8")):
            reader.follow(language, name, text)
            if name == "break.sql":
                reader.wait_for("kenh: 'Bồ câu' is not in the map")
                reader.stop_poller()
                mapping = reader.folder / "onestop.toml"
                written = mapping.read_text("utf-8")
                mapping.write_text(written.replace('"post" }', '"post", "Bồ câu" = "other" }'), "utf-8")
                reader.start_poller()
        reader.pause()
        for _ in range(2):
            for _ in range(3):
                reader.sql(*lies(chance))
                time.sleep(0.7)
            reader.pause()
        figures = reader.running.figures()
        letters = reader.running.dead_letters()
        reader.stop_poller()

    assert reader.pauses == 5
    assert letters == []
    assert figures["unit:my-fines", "online_payment", "all"] == figures["unit:rtfm", "online_payment", "all"]
    assert figures["unit:rtfm", "online_payment", "all"][1] > 0
