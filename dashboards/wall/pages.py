"""The pages of the wall and the files they need; everything a page shows comes through ``Services``."""

import gzip
import hashlib
import json
import mimetypes
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from litestar import MediaType, Request, Response, Router, get
from litestar.params import FromPath
from markupsafe import Markup

from dashboards.wall.view import GLYPHS, LANGUAGES, WORDS, View

__all__ = ["POLICY", "Services", "wall_router"]

HERE = Path(__file__).parent
THEMES = ("dark", "light")
KEPT = ("lang", "theme", "rotate")
"""What stays in an address when a link leads to another screen."""
POLICY = "default-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
"""Nothing inline runs and nothing is fetched from elsewhere."""
FOREVER = "public, max-age=31536000, immutable"
SMALLEST_ZIPPED = 600
"""Below this many bytes compression gains nothing."""


class Services(Protocol):
    """What the pages need from the rest of the application."""

    @property
    def build(self) -> str:
        """The running build; a page that was made by another reloads itself."""
        ...

    def document(self, screen: str, unit: str | None) -> dict[str, Any] | None:
        """Return the newest document of a screen, or of ``unit`` on the screen "unit"; None when there is none."""
        ...

    def screens(self, units: Sequence[str] | None) -> Sequence[Mapping[str, Any]]:
        """Return ``{"id": …, "title": {"vi": …, "en": …}}`` of every screen, in the order of rotation.

        ``units``: those of somebody who may only see these; None: all.
        """
        ...


@dataclass(frozen=True, slots=True)
class _File:
    body: bytes
    zipped: bytes | None
    media_type: str
    etag: str


def _read(path: Path) -> _File:
    body = path.read_bytes()
    kind = {".js": "text/javascript", ".woff2": "font/woff2", ".md": "text/plain"}.get(path.suffix)
    kind = kind or mimetypes.guess_type(path.name)[0] or "text/plain"
    if kind.startswith("text/"):
        kind += "; charset=utf-8"
    zipped = None if path.suffix == ".woff2" or len(body) < SMALLEST_ZIPPED else gzip.compress(body, 9, mtime=0)
    return _File(body, zipped, kind, f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"')


def _read_all(folder: Path) -> dict[str, _File]:
    """Read every file once: what is not in this list cannot be asked for."""
    return {str(p.relative_to(folder).as_posix()): _read(p) for p in sorted(folder.rglob("*")) if p.is_file()}


def _version(files: Mapping[str, _File]) -> str:
    joined = "".join(f"{name}{file.etag}" for name, file in files.items())
    return hashlib.blake2b(joined.encode(), digest_size=6).hexdigest()


def _choice(value: str | None, of: Sequence[str]) -> str:
    return value if value is not None and value in of else of[0]


class _Pages:
    """Renders the pages of one application."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self.files = _read_all(HERE / "static")
        # The files' own hash stands in the path, so that modules and fonts which a file names get it too.
        self.version = _version(self.files)
        self._assets = f"/wall/static/{self.version}"
        self._jinja = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=select_autoescape(default=True, default_for_string=True),
            undefined=StrictUndefined,
            trim_blocks=True,
        )

    def _nav(
        self, lang: str, kept: Mapping[str, str], here: str, units: Sequence[str] | None
    ) -> list[dict[str, Any]]:
        query = f"?{urlencode(kept)}" if kept else ""
        return [
            {
                "id": screen["id"],
                "href": f"/wall/{quote(screen['id'])}{query}",
                "title": View(lang, 0).text(screen["title"]),
                "here": screen["id"] == here,
            }
            for screen in self._services.screens(units)
            if screen["id"] != "unit"
        ]

    def page(self, request: Request[Any, Any, Any], screen: str, unit: str | None = None) -> Response[str]:
        query = request.query_params
        lang, theme = _choice(query.get("lang"), LANGUAGES), _choice(query.get("theme"), THEMES)
        kept = {key: query[key] for key in KEPT if query.get(key)}
        name = screen if unit is None else f"{screen}/{unit}"
        viewer = getattr(request.state, "viewer", None)
        nav = self._nav(lang, kept, name, None if viewer is None else viewer.units)
        headers = {
            "Content-Security-Policy": POLICY,
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
        }
        shared = {"theme": theme, "assets": self._assets, "nav": nav}
        lacks_unit = screen == "unit" and unit is None
        document = None if lacks_unit else self._services.document(screen, unit)
        if document is None:
            view = View(lang, time.time_ns() // 1000)
            html = self._jinja.get_template("missing.html").render(v=view, name=name, **shared)
            return Response(html, status_code=404, media_type=MediaType.HTML, headers=headers)
        language, look = LANGUAGES[lang == LANGUAGES[0]], THEMES[theme == THEMES[0]]
        switches = [
            {"href": f"?{urlencode({**kept, 'lang': language})}", "title": language.upper()},
            {"href": f"?{urlencode({**kept, 'theme': look})}", "title": WORDS[look][lang]},
        ]
        html = self._jinja.get_template("wall.html").render(
            v=View(lang, document["now_us"]),
            d=document,
            glyphs=GLYPHS,
            screen=name,
            unlisted=not any(item["here"] for item in nav),
            switches=switches,
            seed=self._seed(document, lang),
            **shared,
        )
        return Response(html, media_type=MediaType.HTML, headers=headers)

    def _seed(self, document: Mapping[str, Any], lang: str) -> Markup:
        """Return what the browser starts from, safe inside an element: no ``<`` can end it early."""
        words = {key: texts[lang] for key, texts in WORDS.items()}
        seed = {"document": document, "words": words, "glyphs": GLYPHS, "lang": lang, "build": self._services.build}
        packed = json.dumps(seed, ensure_ascii=False, separators=(",", ":"))
        return Markup(packed.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))  # noqa: S704 - escaped here

    def file(self, request: Request[Any, Any, Any], version: str, name: str) -> Response[bytes]:
        file = self.files.get(name)
        if file is None:
            return Response(b"no such file", status_code=404, media_type="text/plain; charset=utf-8")
        headers = {
            "ETag": file.etag,
            "Vary": "Accept-Encoding",
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": FOREVER if version == self.version else "no-cache",
        }
        if request.headers.get("If-None-Match") == file.etag:
            return Response(b"", status_code=304, headers=headers, media_type=file.media_type)
        body = file.body
        if file.zipped is not None and "gzip" in request.headers.get("Accept-Encoding", ""):
            body = file.zipped
            headers["Content-Encoding"] = "gzip"
        return Response(body, headers=headers, media_type=file.media_type)


def wall_router(services: Services) -> Router:
    """Return the routes below ``/wall``."""
    pages = _Pages(services)

    @get("/{screen:str}", sync_to_thread=False, include_in_schema=False)
    def screen_page(request: Request[Any, Any, Any], screen: FromPath[str]) -> Response[str]:
        return pages.page(request, screen)

    @get("/unit/{code:str}", sync_to_thread=False, include_in_schema=False)
    def unit_page(request: Request[Any, Any, Any], code: FromPath[str]) -> Response[str]:
        return pages.page(request, "unit", code)

    # These two are the beginnings of longer paths, so the first route does not see them.
    @get(["/unit", "/static"], sync_to_thread=False, include_in_schema=False)
    def no_screen(request: Request[Any, Any, Any]) -> Response[str]:
        return pages.page(request, request.url.path.rsplit("/", 1)[-1])

    @get("/static/{version:str}/{name:path}", sync_to_thread=False, include_in_schema=False)
    def static_file(request: Request[Any, Any, Any], version: FromPath[str], name: FromPath[str]) -> Response[bytes]:
        return pages.file(request, version, name.lstrip("/"))

    return Router("/wall", route_handlers=[screen_page, unit_page, no_screen, static_file])
