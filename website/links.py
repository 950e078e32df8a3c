"""The links of a built site: every internal one leads to a page or file that is there, and to a place on it."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit


class _Reader(HTMLParser):
    """Collects what a page links to, what it loads, and the places on it."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.places: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value for name, value in attrs if value is not None}
        self.places |= {said[name] for name in ("id", "name") if name in said}
        if tag == "a" and "href" in said:
            self.links.append(said["href"])
        elif tag in ("script", "img", "iframe", "source") and "src" in said:
            self.loads.append(said["src"])
        elif tag == "source" and "srcset" in said:
            self.loads.append(said["srcset"])
        elif tag == "link" and "href" in said and said.get("rel") not in ("canonical", "alternate", "prev", "next"):
            self.loads.append(said["href"])


def wrong(site: Path, base: str = "/") -> list[str]:
    """What is wrong with the links of all pages, as sentences. base: the path on its host where the site begins."""
    pages = {path: _read(path) for path in sorted(site.rglob("*.html"))}
    return [f"{path.relative_to(site)}: {why}" for path in pages for why in _wrong_on(path, site, pages, base)]


def _read(path: Path) -> _Reader:
    reader = _Reader()
    reader.feed(path.read_text("utf-8"))
    return reader


def _wrong_on(path: Path, site: Path, pages: dict[Path, _Reader], base: str) -> Iterator[str]:
    page = pages[path]
    for link in page.loads:
        if urlsplit(link).netloc:
            yield f"loads {link} from elsewhere"
    here = base if path.name == "404.html" else f"{base}{path.relative_to(site).as_posix()}"
    for link in (*page.links, *page.loads):
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            is_address = parts.scheme == "mailto" or (parts.scheme in ("http", "https") and "." in parts.netloc)
            if not is_address:
                yield f"{link} is no address"
            continue
        meant = urlsplit(urljoin(here, link))
        target = site / unquote(meant.path).removeprefix(base).lstrip("/")
        target = target / "index.html" if target.is_dir() else target
        if not target.is_file():
            yield f"{link} leads nowhere"
        elif meant.fragment and target in pages and unquote(meant.fragment) not in pages[target].places:
            yield f"{link}: there is no such place on that page"
