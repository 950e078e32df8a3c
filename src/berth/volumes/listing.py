"""How much of a directory is read into memory: a server may list entries without end."""

from __future__ import annotations

from berth.volumes.errors import Refused
from berth.volumes.share import Entry, NamesOf

MOST_ENTRIES = 250_000
"""Far more than a cluster has volumes."""
MOST_BYTES = 32 << 20
"""Of names and identities, which the server chooses."""


class Listing:
    """The entries of one directory, as they come: or their names alone, which take a third of the room."""

    def __init__(self, path: str, most: int | None = None, *, names_of: NamesOf | None = None) -> None:
        """path: of the directory. most: how many can be used; one more is kept, and tells that there are more.
        names_of: keep names, of the entries of one kind or of any.
        """
        self.entries: list[Entry] = []
        self.names: list[str] = []
        self._names_of = names_of
        self._seen = 0
        self._path = path or "the share's root"
        self._most = most
        self._bytes = 0

    @property
    def is_empty(self) -> bool:
        """Whether the directory showed nothing at all."""
        return not self._seen

    @property
    def is_full(self) -> bool:
        """Whether no more of them can be used."""
        return self._most is not None and len(self.entries) > self._most

    def add(self, entry: Entry) -> None:
        """One more. Refused where a directory has more than anybody reads."""
        self._seen += 1
        self._bytes += len(entry.name) + len(entry.identity)
        if self._seen > MOST_ENTRIES or self._bytes > MOST_BYTES:
            raise Refused(
                self._path,
                f"has more entries than Berth reads of one directory ({MOST_ENTRIES:,}, or {MOST_BYTES >> 20} MiB of "
                f"names); move what is not needed there elsewhere, unless the server invents them",
            )
        if self._names_of is None:
            self.entries.append(entry)
        elif self._names_of in ("any", entry.kind):
            self.names.append(entry.name)
