"""What a server's answer means to the rules of volumes: one VolumeError for each way an operation can fail."""

from __future__ import annotations

from berth.nfs import GONE, ROOT, NfsError, RpcError, Status, Withheld
from berth.shares.direct.tree import Denied
from berth.volumes.errors import FailureStage, Missing, Refused, Taken, Unavailable, VolumeError

_OUTAGES: dict[int, tuple[FailureStage, str]] = {
    Status.ROFS: ("permission", "the export is read-only"),
    Status.NOSPC: ("io", "no space is left on the server"),
    Status.DQUOT: ("io", "the quota on the server is used up"),
    Status.DELAY: ("io", "the server asks to wait"),
    Status.GRACE: ("io", "the server was restarted and waits for its old clients, usually for 90 s"),
    Status.WRONGSEC: ("permission", "this part of the share wants another security flavour than sys (Kerberos)"),
}
_BAD_NAMES = frozenset({Status.INVAL, Status.NAMETOOLONG, Status.BADCHAR, Status.BADNAME})


def explain(share: str, path: str, error: NfsError) -> VolumeError:
    """The meaning of a status that no operation has a meaning of its own for."""
    code = error.code
    if code == Status.NOENT:
        return Missing(share, path)
    if code == Status.EXIST:
        return Taken(share, path)
    if code in (Status.NOTDIR, Status.ISDIR, Status.SYMLINK):
        return Refused(path, f"is not what it should be on share {share}, a file or a directory ({error.name})")
    if code in _BAD_NAMES:
        return Refused(path, f"is a name that the server of share {share} does not take ({error.name})")
    if code in _OUTAGES:
        stage, why = _OUTAGES[code]
        return Unavailable(share, stage, why, status=error.name, path=path)
    if code in GONE:
        return Unavailable(share, "io", "it was replaced by something else meanwhile", status=error.name, path=path)
    return Unavailable(share, "io", "the server could not do it", status=error.name, path=path)


def root_gone(share: str, error: NfsError) -> Unavailable:
    """The exported directory itself is no longer what the server handed out."""
    why = "the exported directory was replaced on the server, which must reload its exports (exportfs -r)"
    return Unavailable(share, "mount", why, status=error.name)


def denied(share: str, path: str, error: Denied) -> Unavailable:
    """Nobody that Berth can claim to be may do it."""
    others = ", ".join(f"uid {who.uid}" for who in error.tried if who != ROOT)
    if others:
        why = f"the server lets neither root nor {others} do this; export with no_root_squash"
    else:
        why = "the server does not let root do this; export with no_root_squash, or let another user than root own it"
    return Unavailable(share, "permission", why, status=error.error.name, path=path)


def lost(share: str, path: str, error: RpcError) -> Unavailable:
    """No answer came, or none that can be understood; or nothing was asked."""
    if isinstance(error, Withheld):
        return Unavailable(share, "lease", error.why, path=path)
    stage: FailureStage = "timeout" if error.status == "ETIMEDOUT" else "io"
    return Unavailable(share, stage, error.why, status=error.status, path=path)
