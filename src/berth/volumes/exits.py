"""Whether a new volume could be released again: a volume is served only where its end is possible (I11).

Moving a directory out of its place needs one file system for both and rights on both sides, and servers differ in what
they allow. So the server is asked: by the file system it shows, and, once for each directory in which volumes are made,
by moving a new, empty volume into the trash and back.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from contextlib import suppress

from berth.volumes.errors import Missing, Refused, Taken, Unavailable
from berth.volumes.metadata_dir import MetadataDir, is_root
from berth.volumes.naming import HOME, SHARE_FILE, TRASH, trial_path
from berth.volumes.plan import Plan
from berth.volumes.share import Entry, Made, Share

MOST_KNOWN = 10_000
"""Directories that are remembered as tried. Patterns with a directory for each namespace make many."""


class Exits:
    """What is known of the ways out of the directories of any number of shares."""

    def __init__(self) -> None:
        self._tried: set[tuple[str, str, int, int | None, int | None]] = set()
        self._not_metadata: set[tuple[str, str]] = set()
        self._plain: set[tuple[str, str]] = set()
        """Directories that were no roots of shares."""

    async def check(self, plan: Plan, made: Made, metadata: MetadataDir, share: Share, *, above: str) -> None:
        """Refused unless the volume, made just now, can be moved to the trash and into an archive.

        above: the deepest directory on its way that was there before.
        """
        if made.entry.device not in (metadata.trash_device, 0) or made.entry.device not in (metadata.root_device, 0):
            raise Refused("path", await _why_not(plan, made.entry, metadata, share))
        key = (metadata.share_id, above, plan.mode, plan.uid, plan.gid)
        if not made.is_new or key in self._tried:
            return
        await self._try(plan, share)
        if len(self._tried) >= MOST_KNOWN:
            self._tried.clear()
        self._tried.add(key)

    async def refuse_other_share(
        self, path: str, entries: Iterable[Entry], metadata: MetadataDir, share: Share, *, above: str
    ) -> None:
        """Refused where the directory at path, or one on the way to it, is the root of a share of its own.

        entries: what is in the directory itself. above: the deepest directory on its way that is there.
        """
        suspects = [path] if any(entry.name == HOME for entry in entries) else []
        here = above if above != path else posixpath.dirname(path)
        while here and (metadata.share_id, here) not in self._plain:
            suspects.append(here)
            here = posixpath.dirname(here)
        for here in suspects:
            with suppress(Missing):  # it went away in this moment
                if await is_root(here, share):
                    raise Refused(
                        "path",
                        f"{path!r} leads into {here!r}, the root of another share, which holds {here}/{SHARE_FILE}; "
                        f"choose another path, or remove {here}/{HOME} once that share is given up",
                    )
                if here != path:
                    if len(self._plain) >= MOST_KNOWN:
                        self._plain.clear()
                    self._plain.add((metadata.share_id, here))

    async def refuse_metadata_dir(self, path: str, made: Entry, metadata: MetadataDir, share: Share) -> None:
        """Refused when the server takes the first part of path for Berth's own directory, however it is spelled."""
        first, is_deeper, _ = path.partition("/")
        if (metadata.share_id, first) in self._not_metadata:
            return
        entry = await share.stat(first) if is_deeper else made
        if entry.identity and entry.identity == metadata.identity:
            raise Refused("path", f"{first!r} is {HOME!r} on this server, where Berth keeps its records; use another")
        if is_deeper:
            if len(self._not_metadata) >= MOST_KNOWN:
                self._not_metadata.clear()
            self._not_metadata.add((metadata.share_id, first))

    async def _try(self, plan: Plan, share: Share) -> None:
        """Moves the new, empty directory to the trash and back. Killed in between, it lies in the trash, empty; another
        is made in its place, and the sweep takes the first away.
        """
        waiting = trial_path(plan.pv)
        try:
            try:
                await share.rename(plan.path, waiting)
            except Taken:  # an earlier attempt was killed right here
                await share.remove_directory(waiting)
                await share.rename(plan.path, waiting)
        except (Refused, Taken) as refusal:
            why = f"a volume there could never be deleted or archived: {refusal}"
            raise Refused("path", f"{plan.path!r} can't be used, {why}; {_WAYS}") from refusal
        except Missing as missing:
            why = f"{missing.path!r} went away while the volume was being made"
            raise Unavailable(str(share.address), "io", why, path=plan.path) from missing
        try:
            await share.rename(waiting, plan.path)
        except (Refused, Missing, Taken) as error:
            why = "the new directory was moved to the trash for a try, and did not come back"
            raise Unavailable(str(share.address), "io", why, path=plan.path) from error


_WAYS = "export that file system as a share of its own, or set onDelete: retain in the class"


async def _why_not(plan: Plan, entry: Entry, metadata: MetadataDir, share: Share) -> str:
    """Names the directory at which the other file system begins."""
    begins = plan.path
    here = posixpath.dirname(plan.path)
    with suppress(Missing):
        while here and (await share.stat(here)).device == entry.device:
            begins, here = here, posixpath.dirname(here)
    return (
        f"{plan.path!r} lies on another file system than {TRASH}, which begins at {begins!r}, so a volume there could "
        f"never be deleted or archived; {_WAYS}"
    )
