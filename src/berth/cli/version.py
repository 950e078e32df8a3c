"""`berth version`: what this is, and what it was built from."""

from __future__ import annotations

import hashlib
import json
import platform
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from urllib.parse import urlsplit

import click

import berth
from berth.cli.commands import BerthCommand
from berth.cli.manner import language
from berth.cli.output import LANGUAGE, output_option, print_data, say
from berth.settings.install import IMAGE
from berth.texts.images import how_to_get
from berth.texts.text import Text

_LABELS = {
    "python": Text("Python", "Python"),
    "image": Text("image that it installs", "所安装的镜像"),
    "sources": Text("sources", "源码摘要"),
    "commit": Text("commit", "提交"),
}
_UNKNOWN = Text("not known", "未知")


@dataclass(frozen=True, slots=True)
class ThisVersion:
    """What a report of a mistake needs."""

    version: str
    python: str
    image: str
    """What `berth install` puts into manifests unless it is told otherwise."""
    sources: str
    """Digest of all files of the package: the same in two builds from the same sources."""
    commit: str
    """Of the repository that it was installed from; empty where that is not known."""


def version_command() -> click.Command:
    """The command with its options."""
    return BerthCommand(
        "version",
        params=[output_option(), LANGUAGE],
        callback=_version,
        short_help="Tell the version, and what it was built from.",
        help="Tell the version, the Python that it runs on, the image that it installs, and what it was built from.",
    )


def _version(output: str, lang: str | None) -> None:
    known, spoken = this(), language(lang)
    if output != "table":
        print_data(known, output)
        return
    say(f"berth {known.version}")
    for name, label in _LABELS.items():
        colon = "：" if spoken == "zh" else ": "
        say(f"  {label.said(spoken)}{colon}{getattr(known, name) or _UNKNOWN.said(spoken)}")
        if name == "image" and (how := how_to_get(known.image)) is not None:
            say(f"    {how.said(spoken)}")


def this() -> ThisVersion:
    """The Berth that runs."""
    return ThisVersion(berth.__version__, platform.python_version(), IMAGE, _digest(), _commit())


def _digest() -> str:
    root, whole = Path(berth.__file__).parent, hashlib.sha256()
    for path in sorted(root.rglob("*")):
        if path.suffix in (".py", ".yaml", ".toml", ".typed") and path.is_file():
            whole.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return f"sha256:{whole.hexdigest()}"


def _commit() -> str:
    """The commit that pip noted (PEP 610), or that of the checkout which the package lies in."""
    try:
        noted = json.loads(distribution("berth-nfs").read_text("direct_url.json") or "{}")
    except (PackageNotFoundError, ValueError):
        return ""
    if commit := noted.get("vcs_info", {}).get("commit_id"):
        return str(commit)
    if not noted.get("dir_info", {}).get("editable"):
        return ""
    return _head_of(Path(urlsplit(noted.get("url", "")).path))


def _head_of(checkout: Path) -> str:
    """The commit that git has checked out there, read as git's files say it."""
    try:
        git = checkout / ".git"
        if git.is_file():  # a worktree of its own
            git = checkout / git.read_text().partition("gitdir:")[2].strip()
        head = (git / "HEAD").read_text().strip()
        if not head.startswith("ref: "):
            return head
        common = git / (git / "commondir").read_text().strip() if (git / "commondir").exists() else git
        name = head.removeprefix("ref: ")
        if (common / name).exists():
            return (common / name).read_text().strip()
        packed = (common / "packed-refs").read_text().splitlines()
        return next((line.split()[0] for line in packed if line.endswith(f" {name}")), "")
    except OSError:
        return ""
