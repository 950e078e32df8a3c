"""The words of export options: the flags that they set, those with values, those that do nothing. Tables only."""

from __future__ import annotations

from enum import IntFlag


class Flag(IntFlag):
    """The kernel's own numbers (NFSEXP_*)."""

    READ_ONLY = 0x0001
    INSECURE = 0x0002
    ROOT_SQUASH = 0x0004
    ALL_SQUASH = 0x0008
    ASYNC = 0x0010
    WDELAY = 0x0020
    NO_READDIRPLUS = 0x0040
    SECURITY_LABEL = 0x0080
    NOHIDE = 0x0200
    NO_SUBTREE_CHECK = 0x0400
    NO_AUTH_NLM = 0x0800
    FSID = 0x2000
    CROSSMNT = 0x4000
    NO_ACL = 0x8000
    PNFS = 0x20000


DEFAULTS = Flag.READ_ONLY | Flag.ROOT_SQUASH | Flag.WDELAY | Flag.NO_SUBTREE_CHECK
VARYING = Flag.READ_ONLY | Flag.ROOT_SQUASH | Flag.ALL_SQUASH
"""What may differ per security flavour, unless a running nfsd says otherwise (/proc/fs/nfsd/export_features)."""
NOBODY = 65534

SWITCHES: dict[str, tuple[Flag, bool]] = {
    "ro": (Flag.READ_ONLY, True),
    "rw": (Flag.READ_ONLY, False),
    "insecure": (Flag.INSECURE, True),
    "secure": (Flag.INSECURE, False),
    "async": (Flag.ASYNC, True),
    "sync": (Flag.ASYNC, False),
    "wdelay": (Flag.WDELAY, True),
    "no_wdelay": (Flag.WDELAY, False),
    "nohide": (Flag.NOHIDE, True),
    "hide": (Flag.NOHIDE, False),
    "crossmnt": (Flag.CROSSMNT, True),
    "nocrossmnt": (Flag.CROSSMNT, False),
    "root_squash": (Flag.ROOT_SQUASH, True),
    "no_root_squash": (Flag.ROOT_SQUASH, False),
    "all_squash": (Flag.ALL_SQUASH, True),
    "no_all_squash": (Flag.ALL_SQUASH, False),
    "no_subtree_check": (Flag.NO_SUBTREE_CHECK, True),
    "subtree_check": (Flag.NO_SUBTREE_CHECK, False),
    "no_auth_nlm": (Flag.NO_AUTH_NLM, True),
    "auth_nlm": (Flag.NO_AUTH_NLM, False),
    "insecure_locks": (Flag.NO_AUTH_NLM, True),
    "secure_locks": (Flag.NO_AUTH_NLM, False),
    "no_acl": (Flag.NO_ACL, True),
    "acl": (Flag.NO_ACL, False),
    "pnfs": (Flag.PNFS, True),
    "no_pnfs": (Flag.PNFS, False),
    "nordirplus": (Flag.NO_READDIRPLUS, True),
    "security_label": (Flag.SECURITY_LABEL, True),
}
"""Options without a value: which flag they set (True) or clear."""

VALUED = ("anonuid", "anongid", "fsid", "sec", "mountpoint", "mp", "refer", "replicas", "xprtsec", "reexport")
OF_MOUNT = frozenset(
    [
        "defaults",
        "hard",
        "soft",
        "intr",
        "nointr",
        "bg",
        "fg",
        "nfsvers",
        "vers",
        "nfs4",
        "minorversion",
        "v3",
        "v4",
        "v4.0",
        "v4.1",
        "v4.2",
        "proto",
        "tcp",
        "udp",
        "port",
        "mountport",
        "mountproto",
        "mountvers",
        "timeo",
        "retrans",
        "retry",
        "rsize",
        "wsize",
        "actimeo",
        "acregmin",
        "acregmax",
        "acdirmin",
        "acdirmax",
        "ac",
        "noac",
        "lock",
        "nolock",
        "local_lock",
        "noatime",
        "nodiratime",
        "relatime",
        "nosuid",
        "nodev",
        "noexec",
        "exec",
        "suid",
        "dev",
        "_netdev",
        "noauto",
        "auto",
        "user",
        "nofail",
        "nconnect",
        "clientaddr",
        "lookupcache",
        "sharecache",
        "nosharecache",
        "nocto",
        "cto",
        "remount",
        "rdirplus",
        "nordirplus",
        "fsc",
    ]
) - {"nordirplus"}
"""Options of mount(8) and nfs(5), which people bring along from a client."""
OBSOLETE = ("squash_uids", "squash_gids")
"""exportfs reads them and does nothing with them."""
NEWER = {"security_label": "2.2.1", "reexport": "2.6.3", "xprtsec": "2.6.4"}
"""Options that older nfs-utils stop at, and the release that brought them (the first whose parseopts() has them).
Distributions take single ones into older releases; installed.py looks at the program itself.
"""
FLAVOURS = {"sys": 1, "unix": 1, "null": 0, "none": 0, "krb5": 390003, "krb5i": 390004, "krb5p": 390005}
"""Security flavours by their numbers: two names of one number are one flavour."""
