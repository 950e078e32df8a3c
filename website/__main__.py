"""`python -m website`: builds the site into build/site; ends with 1 where a page, a link or a language is missing."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path
from urllib.parse import urlsplit

import jieba
from mkdocs.commands.build import build
from mkdocs.config import load_config
from mkdocs.exceptions import MkDocsException

from website import links, staging

SITE = staging.ROOT / "build" / "site"


def main(arguments: list[str] | None = None) -> int:
    """The exit code: 0 built and every link leads somewhere, 1 not after a line for each reason."""
    parser = argparse.ArgumentParser(prog="python -m website", description=__doc__)
    parser.add_argument("--output", type=Path, default=SITE, metavar="FOLDER", help="where to put it (%(default)s)")
    parser.add_argument("--url", default="", help="where it will be published, if that is not the root of a host")
    options = parser.parse_args(arguments)
    output = options.output.resolve()
    logging.basicConfig(format="%(levelname)s: %(message)s", level=logging.WARNING)
    try:
        make(output, options.url)
    except (MkDocsException, OSError) as error:
        print(f"website: {error}", file=sys.stderr)
        return 1
    found = links.wrong(output, f"{urlsplit(options.url).path.rstrip('/')}/")
    for each in found:
        print(f"website: {each}", file=sys.stderr)
    if found:
        return 1
    print(f"The site is in {output}; `{Path(sys.executable).name} -m http.server -d {output}` shows it at port 8000.")
    return 0


def make(output: Path, url: str = "") -> None:
    """Builds the site; an error of mkdocs where it warns of anything."""
    jieba.setLogLevel(logging.WARNING)
    pages = output.parent / f"{output.name}-pages"
    staging.stage(pages)
    config = load_config(
        str(staging.ROOT / "website" / "mkdocs.yml"),
        docs_dir=str(pages), site_dir=str(output), nav=staging.nav(), strict=True,
        **({"site_url": url} if url else {}),
    )  # fmt: skip
    for language in config.plugins["i18n"].config.languages:
        if language.locale == "zh":
            language.nav_translations = staging.translations()
    config.plugins.on_startup(command="build", dirty=False)
    build(config)
    config.plugins.on_shutdown()


if __name__ == "__main__":
    sys.exit(main())
