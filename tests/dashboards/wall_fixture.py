"""Screens with plausible figures for the wall's tests, and a server for them that a test can disturb.

``python tests/dashboards/wall_fixture.py 8080`` serves them for work on the design.
"""

import asyncio
import json
import math
import os
import random
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from litestar import Litestar, Response, get, post
from litestar.response import Redirect, ServerSentEvent, ServerSentEventMessage

from dashboards.wall.pages import wall_router

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>"
LONG = "Ban Quản lý Khu công nghệ cao công nghệ sinh học và các khu công nghiệp, khu kinh tế tỉnh Đồng Nai"
STATE = {True: "ok", False: "bad"}
MINUTE_US = 60_000_000
Text = dict[str, str]
Document = dict[str, Any]


def now_us() -> int:
    """Return the time in microseconds."""
    return time.time_ns() // 1000


def text(vi: str, en: str | None = None) -> Text:
    """Return a name in both languages."""
    return {"vi": vi, "en": en or vi}


def panel(key: str, form: str, title: Text, grid: tuple[int, int, int, int], **rest: Any) -> Document:
    """Return what every panel has."""
    x, y, w, h = grid
    common = {"id": key, "form": form, "title": title, "grid": {"x": x, "y": y, "w": w, "h": h}, "note": None}
    return common | {"window": None, "measured_us": now_us() - 1_000_000, "limit_s": 120} | rest


NAMES = {
    "on_time": text("Giải quyết đúng hạn", "Finished on time"),
    "online": text("Hồ sơ trực tuyến", "Filed online"),
    "online_payment": text("Thanh toán trực tuyến", "Paid online"),
    "paperless_meeting": text("Họp không giấy tờ", "Meetings without paper"),
    "overdue": text("Đang xử lý quá hạn", "Open and overdue"),
    "due_soon": text("Đến hạn trong 24 giờ", "Due within 24 hours"),
}
MORE_NAMES = {
    "digital_signature": text("Văn bản ký số", "Documents signed digitally"),
    "documents_online": text("Văn bản xử lý trực tuyến", "Documents handled online"),
}
FIGURES: dict[str, tuple[int, int, float, float, str, str]] = {
    "on_time": (1304, 1328, 0.95, 0.9, "ok", "higher"),
    "online": (1187, 1602, 0.9, 0.7, "watch", "higher"),
    "online_payment": (312, 507, 0.8, 0.7, "bad", "higher"),
    "paperless_meeting": (14, 16, 0.8, 0.6, "ok", "higher"),
    "overdue": (41, 5873, 0.005, 0.01, "watch", "lower"),
    "due_soon": (114, 5873, 0.05, 0.1, "ok", "lower"),
    "digital_signature": (1948, 2004, 0.9, 0.8, "ok", "higher"),
    "documents_online": (1702, 2004, 0.9, 0.8, "watch", "higher"),
}
UNITS = {"on_time": "hồ sơ", "online": "hồ sơ", "online_payment": "giao dịch", "paperless_meeting": "cuộc họp"}


def spark(rate: float, seed: int) -> list[list[float | None]]:
    """Return a day of a rate, with a gap for one seed."""
    draw, now = random.Random(seed), now_us()
    points: list[list[float | None]] = []
    for i in range(97):
        value = rate * (1 + 0.012 * math.sin(i / 9) + draw.uniform(-0.006, 0.006))
        points.append([now - (96 - i) * 15 * MINUTE_US, None if seed == 2 and 40 < i < 48 else min(max(value, 0), 1)])
    return points


def headline(key: str, grid: tuple[int, int, int, int], **rest: Any) -> Document:
    """Return one indicator's tile."""
    good, count, target, watch, state, better = FIGURES[key]
    defaults = {
        "indicator": key,
        "numerator": good,
        "denominator": count,
        "rate": good / count,
        "target": {"value": target, "better": better, "watch": watch},
        "state": state,
        "change": {"points": {"on_time": 0.6, "online_payment": -2.4, "due_soon": 0.01}.get(key, 1.9)}
        | {"versus": text("hôm qua", "yesterday")},
        "spark": spark(good / count, len(key) % 5),
        "unit": text(UNITS.get(key, "hồ sơ"), "dossiers"),
        "window": "now" if better == "lower" else "today",
    }
    title = rest.pop("title", (NAMES | MORE_NAMES)[key])
    return panel(rest.pop("name", key), "headline", title, grid, **(defaults | rest))


NOTHING: Document = {"numerator": 0, "denominator": 0, "rate": None, "state": "none", "spark": [], "change": None}
COMMUNES = [
    "Phường Trấn Biên",
    "Xã Lộc Ninh",
    "Phường Đồng Xoài",
    "Xã Xuân Lộc",
    "Phường Long Khánh",
    "Xã Định Quán",
    "Xã Trảng Bom",
    "Xã Thống Nhất",
    "Phường Tam Hiệp",
    "Xã Nhơn Trạch",
    "Xã Cẩm Mỹ",
    "Xã Bù Gia Mập",
    "Phường Bình Long",
    "Xã Phước Sơn",
]
DEPARTMENTS = (
    "Sở Nông nghiệp và Môi trường;Sở Xây dựng;Sở Tư pháp;Sở Y tế;Sở Nội vụ;Sở Tài chính;Sở Công Thương;"
    f"Sở Khoa học và Công nghệ;Sở Giáo dục và Đào tạo;Sở Văn hóa, Thể thao và Du lịch;{LONG};Sở Dân tộc và Tôn giáo"
).split(";")


def league(key: str, title: Text, grid: tuple[int, int, int, int], rows: int, names: list[str]) -> Document:
    """Return a league table with a gap, a hostile name and a unit below the minimum."""
    found: list[Document] = []
    for n, name in enumerate([*names[: rows - 2], HOSTILE]):
        count = 212 - n * 7
        good = count - max(0, n - 1) * 2
        found.append(
            {
                "rank": n + 1 if n < rows // 2 else 88 + n,
                "code": f"H{n}",
                "name": text(name),
                "rate": good / count,
                "numerator": good,
                "denominator": count,
                "state": "ok" if good / count > 0.95 else "watch" if good / count > 0.9 else "bad",
                "enough": True,
            }
        )
    few = {"rank": None, "rate": None, "numerator": 0, "denominator": 3, "state": "none", "enough": False}
    found.append({"code": "H99", "name": text("Xã Đăk Ơ")} | few)
    return panel(key, "league", title, grid, rows=found, minimum_n=20, shown="top and bottom", window="30d")


def bars(title: Text, grid: tuple[int, int, int, int]) -> Document:
    """Return a day by hours that is not over yet."""
    received: list[int | None] = [22, 84, 128, 118, 61, 18, 70, 104, 92, None]
    finished: list[int | None] = [8, 40, 86, 104, 77, 22, 51, 90, 60, None]
    series = [
        {"key": "received", "name": text("tiếp nhận", "received"), "values": received},
        {"key": "finished", "name": text("trả kết quả", "finished"), "values": finished},
    ]
    hours = [str(hour) for hour in range(7, 17)]
    return panel("per_hour", "bars", title, grid, categories=hours, series=series, window="today")


def ageing(grid: tuple[int, int, int, int]) -> Document:
    """Return open dossiers by the time left."""
    rows = [
        {"name": text("còn trên 5 ngày", "over 5 days left"), "count": 4310, "state": None},
        {"name": text("còn 1–5 ngày", "1–5 days left"), "count": 1408, "state": None},
        {"name": text("dưới 24 giờ", "within 24 hours"), "count": 114, "state": "watch"},
        {"name": text("quá hạn", "overdue"), "count": 41, "state": "bad"},
    ]
    return panel("ageing", "shares", text("Đang xử lý", "Open dossiers"), grid, rows=rows, total=5873, window="now")


def feeds(grid: tuple[int, int, int, int], names: list[str]) -> Document:
    """Return sources, one of them silent and one never heard."""
    rows = []
    for n, name in enumerate(names):
        age: float | None = None if n == 4 else 12 * 60.0 + n if n == 3 else 1.0 + n
        state = "none" if n == 4 else STATE[n != 3]
        detail = text("im lặng bất thường", "unusually silent") if n == 3 else None
        rows.append({"name": text(name), "age_s": age, "expected_s": 30.0, "state": state, "detail": detail})
    return panel("sources", "ages", text("Nguồn dữ liệu", "Data sources"), grid, rows=rows)


def attention() -> list[Document]:
    """Return what needs attention."""
    found = [
        ("bad", "Phường Bình Phước", "Thanh toán trực tuyến 38,2 % (13/34), dưới 50 %", "chưa ai nhận", 42),
        ("bad", LONG, "Quá hạn 4,1 % (7/171), trên 3,78 %", "đã nhận 10:12", 125),
        ("watch", HOSTILE, "19 hồ sơ đến hạn trong 24 giờ", "bản tin ngày", 392),
        ("watch", "Xã Tân Khai", "Hồ sơ trực tuyến 52,0 % (13/25), thường lệ 70 %", "chưa ai nhận", 61),
        ("none", "Phòng họp không giấy", "Nguồn không gửi dữ liệu; thường 30 giây một lần", "đã báo kỹ thuật", 12),
    ]
    return [
        {"state": state, "title": text(title), "text": text(words), "right": text(right)}
        | {"since_us": now_us() - since * MINUTE_US}
        for state, title, words, right, since in found
    ]


def alerts(key: str, title: Text, grid: tuple[int, int, int, int], rows: int) -> Document:
    """Return a full list of alerts, with more than it has room for; without ``rows`` an empty one."""
    items = [attention()[n % 5] for n in range(rows)]
    return panel(key, "attention", title, grid, items=items, total=3 * rows, left_out=2 * rows)


def overdue_list(grid: tuple[int, int, int, int], rows: int) -> Document:
    """Return the dossiers that are overdue for longest."""
    columns = [
        {"key": "code", "name": text("Mã hồ sơ", "Dossier"), "align": "left"},
        {"key": "unit", "name": text("Đơn vị", "Unit"), "align": "left"},
        {"key": "days", "name": text("Quá hạn (ngày)", "Days overdue"), "align": "right"},
    ]
    lines = [[f"H19.{n + 10}-261108-{n * 37 + 12:04d}", text((DEPARTMENTS + COMMUNES)[n * 5 % 26]), 31.5 - n * 2]
             for n in range(rows)]  # fmt: skip
    title = text("Quá hạn lâu nhất", "Overdue for longest")
    return panel("most_overdue", "list", title, grid, columns=columns, rows=lines, window="now")


FEEDS = ["Một cửa điện tử", "Cổng dịch vụ công", "Thanh toán", "Phòng họp", "Văn bản điều hành"]
TITLES = {
    "overview": text("Tổng quan", "Overview"),
    "alerts": text("Cảnh báo", "Alerts"),
    "dossiers": text("Hồ sơ", "Dossiers"),
    "payments": text("Thanh toán", "Payments"),
    "meetings": text("Họp không giấy tờ", "Paperless meetings"),
    "documents": text("Văn bản", "Documents"),
    "units": text("Đơn vị", "Units"),
    "sources": text("Nguồn dữ liệu", "Data sources"),
}


def _six() -> list[Document]:
    tiles = [headline(key, (2 * n, 0, 2, 5)) for n, key in enumerate(NAMES)]
    tiles[3] |= {"measured_us": now_us() - 12 * MINUTE_US}
    tiles[5] |= {"note": text("ít hơn 20 trường hợp: chưa đánh giá", "fewer than 20 cases: not judged")}
    return tiles


def _one_rate(key: str) -> list[Document]:
    windows = {"today": text("Hôm nay", "Today"), "7d": text("7 ngày", "7 days"), "30d": text("30 ngày", "30 days"),
               "year": text("Năm nay", "This year")}  # fmt: skip
    tiles = [headline(key, (3 * n, 0, 3, 5), name=f"{key}_{window}", title=title, window=window)
             for n, (window, title) in enumerate(windows.items())]  # fmt: skip
    tiles[0] |= NOTHING
    tiles[1] |= {
        "note": text("ít hơn 20 trường hợp: chưa đánh giá", "fewer than 20 cases: not judged"),
        "state": "none",
    }
    tiles[3] |= {"numerator": 48120, "denominator": 48120, "rate": 1.0, "state": "ok"}
    return [
        *tiles,
        bars(text("Theo giờ", "Per hour"), (0, 5, 4, 5)),
        league("departments", text("Sở, ngành", "Departments"), (4, 5, 4, 5), 8, DEPARTMENTS),
        league("communes", text("Xã, phường", "Communes"), (8, 5, 4, 5), 8, COMMUNES),
    ]


def panels(screen: str) -> list[Document]:  # noqa: PLR0911 - one answer per screen
    """Return the panels of a screen."""
    if screen == "overview":
        return [
            *_six(),
            panel("attention", "attention", text("Cần chú ý", "Needs attention"), (0, 5, 5, 4), items=attention()),
            league("communes", text("Xã, phường · đúng hạn", "Communes · on time"), (5, 5, 4, 4), 7, COMMUNES),
            bars(text("Hồ sơ theo giờ", "Dossiers per hour"), (9, 5, 3, 2)),
            ageing((9, 7, 3, 2)),
            feeds((0, 9, 12, 1), FEEDS),
        ]
    if screen == "alerts":
        return [
            alerts("firing", text("Đang báo động", "Firing"), (0, 0, 7, 10), 11),
            alerts("pending", text("Chờ xác nhận", "Pending"), (7, 0, 5, 5), 5),
            alerts("muted", text("Tạm dừng tin", "Muted"), (7, 5, 5, 5), 0),
        ]
    if screen == "dossiers":
        fields = [
            "Đất đai",
            "Hộ tịch",
            "Xây dựng",
            "Đăng ký kinh doanh",
            "Y tế",
            "Giáo dục",
            "Giao thông vận tải",
            "Lao động, người có công và xã hội",
            "Môi trường",
            "Tư pháp",
        ]
        rows = [
            {
                "key": str(n),
                "name": text(name),
                "rate": None if n == 9 else 0.99 - n * 0.021,
                "numerator": 400 - n * 30,
                "denominator": 404 - n * 22,
                "state": "none" if n == 9 else ("ok", "watch", "bad")[n // 4],
            }
            for n, name in enumerate(fields)
        ]
        keys = ("on_time", "online", "overdue", "due_soon")
        return [
            *(headline(key, (3 * n, 0, 3, 4)) for n, key in enumerate(keys)),
            bars(text("Hồ sơ theo giờ", "Dossiers per hour"), (0, 4, 4, 3)),
            ageing((0, 7, 4, 3)),
            panel("by_field", "rates", text("Đúng hạn theo lĩnh vực", "On time by field"), (4, 4, 4, 6), rows=rows)
            | {"window": "30d"},
            overdue_list((8, 4, 4, 6), 10),
        ]
    if screen == "payments":
        return _one_rate("online_payment")
    if screen == "meetings":
        return _one_rate("paperless_meeting")
    if screen == "documents":
        windows = {"today": ("hôm nay", "today"), "30d": ("30 ngày", "30 days")}
        shown = [
            (key, window, text(f"{name['vi']} · {vi}", f"{name['en']} · {en}"))
            for key, name in MORE_NAMES.items()
            for window, (vi, en) in windows.items()
        ]
        return [
            *(
                headline(
                    key, (3 * n, 0, 3, 5), name=f"{key}_{window}", window=window, unit=text("văn bản", "documents")
                )
                for n, (key, window, title) in enumerate(shown)
            ),
            *_one_rate("digital_signature")[4:],
        ]
    if screen == "units":
        many = COMMUNES * 2
        return [
            league(
                "departments", text("Sở, ngành · đúng hạn", "Departments · on time"), (0, 0, 4, 10), 14, DEPARTMENTS
            ),
            league("communes", text("Xã, phường · đúng hạn", "Communes · on time"), (4, 0, 4, 10), 16, many),
            league("dep_overdue", text("Sở, ngành · quá hạn", "Departments · overdue"), (8, 0, 4, 5), 7, DEPARTMENTS),
            league("com_overdue", text("Xã, phường · quá hạn", "Communes · overdue"), (8, 5, 4, 5), 7, COMMUNES),
        ]
    if screen == "sources":
        facts: list[tuple[str, float | None, str, str]] = [
            ("Tuổi số liệu", 1.2, "giây", "ok"),
            ("Bản tin chờ xử lý", 0, "bản tin", "ok"),
            ("Bản tin bị từ chối", 17, "bản tin", "watch"),
            ("Bản tin đã nhận", 1_204_311, "bản tin", "ok"),
            ("Bản tin cũ bỏ qua", 312, "bản tin", "ok"),
            ("Phân vùng chưa sẵn sàng", None, "", "none"),
            ("Phân vùng sẵn sàng", 12, "", "ok"),
            ("Bản tin mới nhất", 3, "giây", "none"),
        ]
        reasons = [
            [text("thiếu múi giờ", "no offset"), "onestop/H19", 9],
            [text("trường lạ", "unknown field"), "gateway", 6],
            [text(HOSTILE), "?", 2],
        ]
        columns = [{"key": "reason", "name": text("Lý do", "Reason"), "align": "left"},
                   {"key": "source", "name": text("Nguồn", "Source"), "align": "left"},
                   {"key": "count", "name": text("Số lượng", "Count"), "align": "right"}]  # fmt: skip
        items = [
            {"name": text(name), "value": value, "unit": text(unit), "state": state}
            for name, value, unit, state in facts
        ]
        return [
            feeds((0, 0, 6, 6), [*FEEDS, LONG]),
            feeds((6, 0, 6, 6), [*DEPARTMENTS[:8], *COMMUNES[:4]])
            | {"id": "units", "title": text("Đơn vị", "Units")},
            panel("pipeline", "facts", text("Đường truyền số liệu", "Pipeline"), (0, 6, 6, 4), items=items),
            panel(
                "dead_letters",
                "list",
                text("Bản tin bị từ chối theo lý do, nguồn", "Dead letters by reason and source"),
                (6, 6, 6, 4),
            )
            | {"columns": columns, "rows": reasons},
        ]
    return [
        *_six(),
        bars(text("Hồ sơ theo giờ", "Dossiers per hour"), (0, 5, 3, 2)),
        ageing((0, 7, 3, 2)),
        alerts("alerts", text("Cảnh báo", "Alerts"), (3, 5, 4, 4), 5),
        overdue_list((7, 5, 5, 4), 6),
        feeds((0, 9, 12, 1), FEEDS[:3]),
    ]


@dataclass
class Fake:
    """Stands for the rest of the application; what a test sets stays until it is set anew."""

    build: str = "0.1.0-test"
    beats: bool = True
    figures: dict[str, Document] = field(default_factory=dict)
    version: int = 0

    def screens(self, _units: object = None) -> list[Document]:
        return [{"id": key, "title": title} for key, title in TITLES.items()]

    def document(self, screen: str, unit: str | None) -> Document | None:
        if (unit is None) == (screen == "unit") or (unit is None and screen not in TITLES) or unit == "H0.0":
            return None
        title = TITLES[screen] if unit is None else text(HOSTILE if unit == "H1.1" else DEPARTMENTS[0])
        found = panels(screen)
        for one in found:
            one.update(self.figures.get(one["id"], {}))
        return {
            "screen": screen if unit is None else f"unit/{unit}",
            "title": title,
            "place": text("Thành phố Đồng Nai", "Dong Nai City"),
            "as_of_us": now_us() - 1_000_000,
            "now_us": now_us(),
            "build": self.build,
            "panels": found,
        }


def application() -> Litestar:
    """The wall's pages over a fake that can be told what to do."""
    fake = Fake()

    async def events(screen: str) -> AsyncIterator[ServerSentEventMessage]:
        name, _, unit = screen.partition("/")
        sent, last = -1, 0.0
        while True:
            if fake.beats and (sent != fake.version or time.monotonic() - last > 5):
                sent, last = fake.version, time.monotonic()
                document = json.dumps(fake.document(name, unit or None))
                yield ServerSentEventMessage(event="screen", data=document)
            if fake.beats:
                beat = json.dumps({"now_us": now_us(), "build": fake.build})
                yield ServerSentEventMessage(event="beat", data=beat)
            await asyncio.sleep(0.5)

    @get("/api/events")
    async def stream(screen: str) -> ServerSentEvent:
        return ServerSentEvent(events(screen))

    @post("/control")
    async def control(data: dict[str, Any]) -> Response[str]:
        fake.build = data.get("build", fake.build)
        fake.beats = data.get("beats", fake.beats)
        fake.figures |= data.get("figures", {})
        fake.version += 1
        return Response("done")

    @get("/")
    async def first() -> Redirect:
        return Redirect("/wall/overview")

    return Litestar([first, stream, control, wall_router(fake)], openapi_config=None)


class Wall:
    """The server above as a process of its own: it can be killed as a machine's can."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.address = f"http://127.0.0.1:{port}"
        self.changed = False
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.changed = False
        root = Path(__file__).parents[2]
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__)), str(self.port)], env=os.environ | {"PYTHONPATH": str(root)}
        )
        for _ in range(200):
            try:
                self._ask(f"{self.address}/wall/static/x/icon.svg")
            except OSError:
                time.sleep(0.1)
            else:
                return
        self.kill()
        raise TimeoutError("the wall did not start")

    def kill(self) -> None:
        self.changed = True
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def tell(self, **what: Any) -> None:
        """Change ``build``, stop or start ``beats``, or set ``figures`` by panel."""
        self.changed = True
        body = json.dumps(what).encode()
        self._ask(f"{self.address}/control", body)

    def get(self, path: str) -> str:
        return self._ask(self.address + path)

    def _ask(self, address: str, body: bytes | None = None) -> str:
        request = urllib.request.Request(address, body, {"Content-Type": "application/json"})  # noqa: S310 - our own
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - our own server
            return str(answer.read().decode())


if __name__ == "__main__":
    import uvicorn

    uvicorn.run(application(), host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
