"""A small HTTP server that answers as Grafana 12 and 13 do, as far as the push uses them."""

import json
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote

TOKEN = "glsa_good"  # noqa: S105 - known to this fake alone


@dataclass
class Fault:
    """An answer that is given instead of the right one."""

    status: int
    body: bytes
    kind: str = "text/html"
    location: str | None = None


@dataclass
class FakeGrafana:
    """State, every write, and faults by (method, path)."""

    version: str = "13.1.0"
    prefix: str = ""
    organisation: int = 1
    health_hides_version: bool = False
    source: bool = True
    folders: dict[str, dict[str, Any]] = field(default_factory=dict)
    boards: dict[str, dict[str, Any]] = field(default_factory=dict)
    provisioned: bool = False
    groups: dict[str, dict[str, Any]] = field(default_factory=dict)
    playlists: dict[str, dict[str, Any]] = field(default_factory=dict)
    writes: list[tuple[str, str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    faults: dict[tuple[str, str], Fault] = field(default_factory=dict)
    racing: bool = False

    def __enter__(self) -> Self:
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = 65_536  # headers and body in one packet

            def _serve(self) -> None:
                length = int(self.headers.get("content-length") or 0)
                body = json.loads(self.rfile.read(length)) if length else None
                fault = fake.answer(self.command, self.path, body, dict(self.headers))
                self.send_response(fault.status)
                self.send_header("content-type", fault.kind)
                self.send_header("content-length", str(len(fault.body)))
                if fault.location is not None:
                    self.send_header("location", fault.location)
                self.end_headers()
                self.wfile.write(fault.body)

            do_GET = do_POST = do_PUT = _serve  # noqa: N815 - named by the base class

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._server.server_address[1]}{self.prefix}"

    def answer(self, method: str, raw: str, body: Any, headers: dict[str, str]) -> Fault:
        """One request."""
        path = raw.removeprefix(self.prefix)
        if (method, path) in self.faults:
            return self.faults[method, path]
        if headers.get("Authorization") != f"Bearer {TOKEN}" and path != "/api/health":
            return _json(401, {"message": "Invalid API key", "messageId": "api-key.invalid"})
        if method != "GET":
            self.writes.append((method, path))
            self.headers.append(headers)
        for pattern, handler in _ROUTES:
            if found := re.fullmatch(pattern, path):
                answer: Fault = handler(self, method, body, *(unquote(part) for part in found.groups()))
                return answer
        return _json(404, {"message": "Not found"})

    def health(self, _method: str, _body: Any) -> Fault:
        hidden = self.health_hides_version
        return _json(200, {"database": "ok"} if hidden else {"database": "ok", "version": self.version})

    def frontend(self, _method: str, _body: Any) -> Fault:
        return _json(200, {"buildInfo": {"version": self.version}})

    def org(self, _method: str, _body: Any) -> Fault:
        return _json(200, {"id": self.organisation, "name": "Main Org."})

    def datasource(self, _method: str, _body: Any, uid: str) -> Fault:
        return _json(200, {"uid": uid}) if self.source else _json(404, {"message": "Data source not found"})

    def new_folder(self, _method: str, body: Any) -> Fault:
        self.folders[body["uid"]] = {**body, "version": 1}
        return _json(200, self.folders[body["uid"]])

    def folder(self, method: str, body: Any, uid: str) -> Fault:
        there = self.folders.get(uid)
        if there is None:
            return _json(404, {"message": "folder not found", "status": "not-found"})
        if method == "PUT":
            if body.get("version") != there["version"]:
                return _json(412, {"message": "the folder has been changed by someone else"})
            there |= {"title": body["title"], "version": there["version"] + 1}
        return _json(200, there)

    def save(self, _method: str, body: Any) -> Fault:
        board = dict(body["dashboard"])
        uid = board["uid"]
        there = self.boards.get(uid)
        if self.provisioned:
            return _json(400, {"message": "Cannot save provisioned dashboard"})
        if there is not None:
            if self.racing:
                there["dashboard"]["version"] += 1
            if not body["overwrite"] and board.get("version") != there["dashboard"]["version"]:
                said = "The dashboard has been changed by someone else"
                return _json(412, {"message": said, "status": "version-mismatch"})
        # What Grafana adds: an id, a version, and defaults in the panels.
        version = 1 if there is None else there["dashboard"]["version"] + 1
        board |= {"id": len(self.boards) + 7, "version": version, "panels": [dict(p) for p in board["panels"]]}
        for panel in board["panels"]:
            panel["pluginVersion"] = self.version
        folder = body.get("folderUid", "")  # a folderId is ignored: without the uid it lands in the root
        self.boards[uid] = {"dashboard": board, "meta": {"folderUid": folder, "provisioned": False}}
        return _json(200, {"uid": uid, "version": version, "status": "success", "folderUid": folder})

    def board(self, _method: str, _body: Any, uid: str) -> Fault:
        there = self.boards.get(uid)
        if there is None:
            return _json(404, {"message": "Dashboard not found"})
        return _json(200, {**there, "meta": {**there["meta"], "provisioned": self.provisioned}})

    def group(self, method: str, body: Any, folder: str, name: str) -> Fault:
        if method == "GET":
            there = self.groups.get(name)
            return _json(404, {"message": "rule group not found"}) if there is None else _json(200, there)
        assert body["folderUid"] == folder
        rules = [
            {**rule, "id": n, "orgID": 1, "updated": "2026-01-01T00:00:00Z"} for n, rule in enumerate(body["rules"])
        ]
        for rule in rules:
            rule["for"] = {"0s": "0s", "5m": "5m0s"}[rule["for"]]
        self.groups[name] = {**body, "rules": rules}
        return Fault(202, b"") if self._major >= 13 else _json(200, self.groups[name])

    def playlist_group(self, _method: str, _body: Any) -> Fault:
        versions = ["v1", "v0alpha1"] if self._major >= 13 else ["v0alpha1"]
        return _json(200, {"kind": "APIGroup", "versions": [{"version": version} for version in versions]})

    def new_playlist(self, _method: str, body: Any, version: str, namespace: str) -> Fault:
        assert body["apiVersion"] == f"playlist.grafana.app/{version}"
        assert namespace == ("default" if self.organisation == 1 else f"org-{self.organisation}")
        body["metadata"]["resourceVersion"] = "1"
        self.playlists[body["metadata"]["name"]] = body
        return _json(201, body)

    def playlist(self, method: str, body: Any, _version: str, _namespace: str, name: str) -> Fault:
        there = self.playlists.get(name)
        if there is None:
            return _json(404, {"kind": "Status", "status": "Failure", "message": f"{name} not found", "code": 404})
        if method == "PUT":
            if self.racing or body["metadata"]["resourceVersion"] != there["metadata"]["resourceVersion"]:
                return _json(409, {"kind": "Status", "status": "Failure", "message": "the object has been modified"})
            body["metadata"]["resourceVersion"] += "1"
            self.playlists[name] = body
        return _json(200, self.playlists[name])

    @property
    def _major(self) -> int:
        return int(self.version.split(".", maxsplit=1)[0])


def _json(status: int, body: object) -> Fault:
    return Fault(status, json.dumps(body).encode(), "application/json")


_PLAYLISTS = r"/apis/playlist\.grafana\.app"
_ROUTES: list[tuple[str, Any]] = [
    (r"/api/health", FakeGrafana.health),
    (r"/api/frontend/settings", FakeGrafana.frontend),
    (r"/api/org", FakeGrafana.org),
    (r"/api/datasources/uid/([^/]+)", FakeGrafana.datasource),
    (r"/api/folders", FakeGrafana.new_folder),
    (r"/api/folders/([^/]+)", FakeGrafana.folder),
    (r"/api/dashboards/db", FakeGrafana.save),
    (r"/api/dashboards/uid/([^/]+)", FakeGrafana.board),
    (r"/api/v1/provisioning/folder/([^/]+)/rule-groups/([^/]+)", FakeGrafana.group),
    (_PLAYLISTS, FakeGrafana.playlist_group),
    (_PLAYLISTS + r"/([^/]+)/namespaces/([^/]+)/playlists", FakeGrafana.new_playlist),
    (_PLAYLISTS + r"/([^/]+)/namespaces/([^/]+)/playlists/([^/]+)", FakeGrafana.playlist),
]
