"""The one error family of volumes and shares.

VolumeError
 |- Refused       permanent: repeating it changes nothing until the claim, its class or the PV changes
 |- Unavailable   an outage: the server, the network or a right on the server is missing; retried with backoff
 |   `- LeftBehind   the removal of a tree went through but for some entries
 |- Missing       nothing is at that path; whether that is bad is for the caller to say
 `- Taken         something else is at that path already

Every error is one sentence for people, of bounded length whatever it quotes; the facts in it are attributes too.
"""

from __future__ import annotations

from typing import Literal

from berth.texts.bounded import bounded
from berth.texts.text import Text

FailureStage = Literal["dns", "connect", "mount", "permission", "timeout", "io", "lease"]
"""Which step towards a share failed: resolving the server's name, reaching its port, having the export handed out,
being allowed to do the operation, getting an answer in time, or the operation itself; and lease: the share is well, but
this process may not act on it now (volumes.share.Guard)."""
_NOT_ALLOWED = ("_PERM", "_ACCES", "_ACCESS", "_ROFS", "EPERM", "EACCES", "EROFS")


class ParameterField(str):
    """The field of a refusal that is about one of the class's parameters: `parameter pathPattern`."""

    def __new__(cls, key: str) -> ParameterField:
        """key: the parameter's name, as the class has it."""
        made = super().__new__(cls, f"parameter {key}")
        made.key = key
        return made

    key: str


class VolumeError(Exception):
    """Base of the family; never raised itself."""

    def __init__(self, sentence: str) -> None:
        super().__init__(bounded(sentence))


class Refused(VolumeError):  # noqa: N818 - the design's word
    """A request that can't be honoured as it stands.

    field: the offending parameter, option or field, as its owner wrote it (`parameter subDir`, `spec.selector`).
    parameter: the name of the class's parameter, where it is about one; None otherwise. suggestion: the known parameter
    that was probably meant where this one is not known. text: the whole sentence in both languages, where that is
    known (zh); else its English in both. why_zh: the reason in Chinese; empty where it is to be looked up.
    """

    def __init__(self, field: str, why: str, *, suggestion: str = "", zh: str = "") -> None:
        super().__init__(f"{field}: {why}")
        self.text = Text(str(self), bounded(f"{field}：{zh}") if zh else str(self))
        self.field = bounded(field)
        self.why = bounded(why)
        self.parameter = bounded(field.key) if isinstance(field, ParameterField) else None
        self.suggestion = suggestion
        self.why_zh = bounded(zh)


class Unavailable(VolumeError):  # noqa: N818
    """A share that can't do its work at the moment.

    share: `server:/export`; stage: how far it got; status: the server's or system's own name for the failure
    (`NFS3ERR_ACCES`, `ECONNREFUSED`), empty where there is none; brief: the sentence without its share.
    """

    def __init__(self, share: str, stage: FailureStage, why: str, *, status: str = "", path: str = "") -> None:
        at = f" at {path!r}" if path else ""
        code = f" ({status})" if status else ""
        self.brief = bounded(f"{'left alone' if stage == 'lease' else f'{stage} failed'}{at}: {why}{code}")
        super().__init__(f"share {share} is {'' if stage == 'lease' else 'unavailable, '}{self.brief}")
        self.share = share
        self.stage = stage
        self.why = why
        self.status = status
        self.path = path


class LeftBehind(Unavailable):
    """Some entries of a tree could not be removed; all others are gone.

    path: of the tree; count: how many entries stay (the directories that they are in left out); first: path of one of
    them, from the tree's top (empty for the top itself), cut where it is very long; status: what prevented it; removed:
    how many went.
    """

    def __init__(self, share: str, path: str, *, count: int, first: str, status: str, removed: int = 0) -> None:
        noun, name = "entry" if count == 1 else "entries", path.rpartition("/")[2]
        why = f"{count} {noun} could not be removed, such as {f'{name}/{first}' if first else name!r}"
        stage: FailureStage = "permission" if status.endswith(_NOT_ALLOWED) else "io"
        super().__init__(share, stage, why, status=status, path=path)
        self.count = count
        self.first = first
        self.removed = removed

    @property
    def said(self) -> str:
        """The reason by itself, without what it is about."""
        return f"{self.why} ({self.status})"


class Missing(VolumeError):  # noqa: N818
    """Nothing exists at path on share: what was asked for, or the first directory on the way to it that is missing."""

    def __init__(self, share: str, path: str) -> None:
        super().__init__(f"{path!r} does not exist on share {share}")
        self.share = share
        self.path = path


class Taken(VolumeError):  # noqa: N818
    """Something exists at path on share, where nothing should."""

    def __init__(self, share: str, path: str) -> None:
        super().__init__(f"{path!r} exists already on share {share}")
        self.share = share
        self.path = path
