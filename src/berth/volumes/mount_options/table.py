"""What a kubelet's `mount -t nfs` knows of mount options: the one table, per NFS version, with its sources.

Sources: fs/nfs/fs_context.c of Linux (nfs_fs_parameters, nfs_fs_context_validate; what it does not list is "Unknown
parameter" and ends the mount), nfs-utils 2.x (utils/mount: opt_map of mount.c, stropts.c, network.c), nfs(5), mount(8)
of util-linux 2.38. tests/kernel/test_mount_options.py holds it against a real kernel and the real mount.nfs.

Rows say what is wrong only where that is certain: refused is what mount.nfs or every kernel refuses.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from berth.texts.text import Text

Takes = Literal["nothing", "number", "text", "anything"]
Family = Literal["", "3", "4", "4.0"]

MOST = 2**32 - 1


@dataclass(frozen=True, slots=True)
class Known:
    """One option that mount.nfs or the kernel takes."""

    takes: Takes = "nothing"
    least: int = 0
    most: int = MOST
    words: tuple[str, ...] = ()
    """The only values that are taken; empty: any."""
    only: Family = ""
    """The NFS version in which it means something."""
    is_refused_elsewhere: bool = False
    """Whether a mount of the other version fails with it; else it is ignored there."""
    pair: str = ""
    """Options of one name here contradict each other: the last one counts, as the kubelet sorts them."""
    since: str = ""
    """The first Linux that knows it, where many nodes run older ones; those refuse the mount."""
    effect: Text | None = None
    """What people should know who write it."""
    idle: Text | None = None
    """Why it does nothing at all."""
    finding: str = ""
    """Id of the doctor's own failure that explains it."""


def _number(least: int = 0, most: int = MOST, **more: Family | bool | str | Text) -> Known:
    return Known("number", least, most, **more)  # type: ignore[arg-type]


_SOFT = Text(
    "writes fail once the server is away for longer than timeo × retrans, and programs that don't look lose data; "
    "leave it out, as hard is the default",
    "服务器失联超过 timeo × retrans 后写入会报错，不检查返回值的程序会丢数据；请去掉它，默认就是 hard",
)
_INTR = Text("it has done nothing since Linux 2.6.25; leave it out", "自 Linux 2.6.25 起不起任何作用；请去掉")
_FSTAB = Text(
    "it is for /etc/fstab and does nothing for a kubelet; leave it out",
    "它只对 /etc/fstab 有意义，对 kubelet 不起作用；请去掉",
)
_NO_LOCK = Text(
    "locks stay on one node: programs on two nodes can hold the same lock at once; leave it out",
    "锁只在单个节点内有效，两个节点上的程序可能同时持有同一把锁；请去掉",
)
_ADDRESS = Text("mount.nfs looks the server up itself; leave it out", "mount.nfs 会自行解析服务器地址；请去掉")
_PROGRAM = Text(
    "the kernel knows no other program number, and mount.nfs drops it; leave it out",
    "内核不支持其他程序号，mount.nfs 会丢弃它；请去掉",
)
_NET_ERRORS = ("default", "none", "ENETDOWN:ENETUNREACH", "ENETUNREACH:ENETDOWN")
_BG = Text(
    "where the server does not answer at once, mount answers success with nothing mounted, and the pod writes into the "
    "node's own directory; leave it out",
    "服务器没有立即应答时，mount 会在什么都没挂上的情况下返回成功，Pod 会写进节点自己的目录；请去掉",
)
UDP = Text(
    "Linux 5.6 and later refuse NFS over UDP, and so does Berth; use proto=tcp",
    "Linux 5.6 起拒绝通过 UDP 使用 NFS，Berth 也不支持；请用 proto=tcp",
)

TABLE: dict[str, Known] = {
    # Versions and transport: parsed by mount.nfs as well.
    "nfsvers": Known("text"),
    "vers": Known("text"),
    **{name: Known() for name in ("v3", "v4", "v4.0", "v4.1", "v4.2")},
    "minorversion": _number(0, 2, only="4", is_refused_elsewhere=True),
    "proto": Known("text", words=("tcp", "tcp6", "udp", "udp6", "rdma", "rdma6"), pair="proto"),
    "tcp": Known(pair="proto"),
    "udp": Known(pair="proto"),
    "rdma": Known(pair="proto"),
    "port": _number(0, 65535),
    "mountport": _number(0, 65535, only="3", is_refused_elsewhere=True),
    "mountproto": Known("text", words=("tcp", "tcp6", "udp", "udp6"), only="3", is_refused_elsewhere=True),
    "mountvers": _number(3, 3, only="3", is_refused_elsewhere=True),
    "mounthost": Known("text", only="3", is_refused_elsewhere=True),
    "mountaddr": Known("text", only="3", is_refused_elsewhere=True),
    "clientaddr": Known("text", only="4"),
    **{name: _number(only="3", is_refused_elsewhere=True, idle=_PROGRAM) for name in ("nfsprog", "mountprog")},
    "addr": Known("text", idle=_ADDRESS),
    "nconnect": _number(1, 16),
    "max_connect": _number(1, 16, only="4", since="5.15"),
    "trunkdiscovery": Known(only="4", since="5.18", pair="trunkdiscovery"),
    "notrunkdiscovery": Known(only="4", since="5.18", pair="trunkdiscovery"),
    "xprtsec": Known("text", words=("none", "tls", "mtls"), since="6.5"),
    "cert_serial": Known("text", since="6.17"),
    "privkey_serial": Known("text", since="6.17"),
    "resvport": Known(pair="resvport"),
    "noresvport": Known(pair="resvport"),
    # Who one is.
    "sec": Known("text"),
    # What becomes of calls that are not answered.
    "hard": Known(pair="hard"),
    "soft": Known(pair="hard", effect=_SOFT, finding="soft-mount"),
    "softerr": Known(pair="hard", effect=_SOFT, finding="soft-mount"),
    "softreval": Known(pair="softreval", since="5.6"),
    "nosoftreval": Known(pair="softreval", since="5.6"),
    "fatal_neterrors": Known("text", words=_NET_ERRORS, since="6.15"),
    "timeo": _number(1, 2**31 - 1),
    "retrans": _number(0, 2**31 - 1),
    "retry": Known("text"),
    "bg": Known(pair="bg", effect=_BG),
    "fg": Known(pair="bg"),
    "intr": Known(idle=_INTR),
    "nointr": Known(idle=_INTR),
    # Sizes and caches.
    "rsize": _number(),
    "wsize": _number(),
    "bsize": _number(),
    "namlen": _number(only="3"),
    "ac": Known(pair="ac"),
    "noac": Known(pair="ac"),
    **{name: _number() for name in ("actimeo", "acregmin", "acregmax", "acdirmin", "acdirmax")},
    "cto": Known(pair="cto"),
    "nocto": Known(pair="cto"),
    "lookupcache": Known("text", words=("all", "none", "pos", "positive")),
    "write": Known("text", words=("lazy", "eager", "wait"), since="5.14"),
    "rdirplus": Known("anything", words=("none", "force"), pair="rdirplus"),
    "nordirplus": Known(pair="rdirplus"),
    "alignwrite": Known(since="6.10", pair="alignwrite"),
    "noalignwrite": Known(since="6.10", pair="alignwrite"),
    "sharecache": Known(pair="sharecache"),
    "nosharecache": Known(pair="sharecache"),
    "fsc": Known("anything", pair="fsc"),
    "nofsc": Known(pair="fsc"),
    # Locks and ACLs: side protocols of NFSv3.
    "lock": Known(only="3", pair="lock"),
    "nolock": Known(only="3", pair="lock", effect=_NO_LOCK, finding="locks-local"),
    "local_lock": Known("text", words=("none", "all", "flock", "posix"), only="3"),
    "acl": Known(only="3", pair="acl"),
    "noacl": Known(only="3", pair="acl"),
    "posix": Known(only="3", pair="posix"),
    "noposix": Known(only="3", pair="posix"),
    "migration": Known(only="4.0", is_refused_elsewhere=True, pair="migration"),
    "nomigration": Known(only="4.0", pair="migration"),
    "sloppy": Known(),
}  # fmt: skip
"""The options of NFS."""

_USER = Text(
    "it implies noexec, nosuid and nodev, so that no program can be started from the volume; leave it out",
    "它隐含 noexec、nosuid、nodev，卷里的程序都无法运行；请去掉",
)
GENERIC: dict[str, Known] = {
    **{name: Known("anything", pair="rw") for name in ("ro", "rw")},
    **{name: Known(pair="sync") for name in ("sync", "async")},
    **{name: Known(pair="exec") for name in ("exec", "noexec")},
    **{name: Known(pair="suid") for name in ("suid", "nosuid")},
    **{name: Known(pair="dev") for name in ("dev", "nodev")},
    **{name: Known() for name in ("defaults", "dirsync", "silent", "loud", "nosymfollow")},
    **{name: Known() for name in ("atime", "noatime", "diratime", "nodiratime", "relatime", "norelatime")},
    **{name: Known() for name in ("strictatime", "nostrictatime", "lazytime", "nolazytime", "iversion", "noiversion")},
    **{name: Known(idle=_FSTAB) for name in ("auto", "noauto", "nofail", "_netdev", "nouser", "nousers")},
    **{name: Known(idle=_FSTAB) for name in ("owner", "noowner", "group", "nogroup", "mand", "nomand")},
    **{name: Known("anything", idle=_FSTAB) for name in ("comment", "loop")},
    **{name: Known("anything", effect=_USER) for name in ("user", "users")},
    "seclabel": Known(),
    **{name: Known("text") for name in ("context", "fscontext", "defcontext", "rootcontext")},
    **{name: Known() for name in ("private", "shared", "slave", "rprivate", "rshared", "rslave")},
}
"""Those of every file system: mount(8) takes them, or mount.nfs takes them out."""

_OWNER = Text(
    "the class parameters directoryMode, uid and gid say whose the directory is",
    "目录的权限和属主由 StorageClass 参数 directoryMode、uid、gid 决定",
)
_EXPORTS = Text("it belongs to the server, in /etc/exports", "它应写在服务器的 /etc/exports 中")
_ACCESS = Text(
    "an NFS server asks for no password; it goes by the client's address", "NFS 服务器不要求密码，只看客户端地址"
)
_NOTHING = Text("leave it out", "请去掉")


@dataclass(frozen=True, slots=True)
class ForeignOption:
    """Options of something else, which mount.nfs refuses."""

    whose: Text
    advice: Text = field(default=_NOTHING)


_SMB = Text("of SMB (mount.cifs)", "SMB（mount.cifs）的")
_SERVER = Text("of an export", "导出")
_LOCAL = Text("of local file systems", "本地文件系统的")
_EFS = Text("of Amazon's mount.efs", "亚马逊 mount.efs 的")
_OTHER = Text("of another file system", "其他文件系统的")

FOREIGN: dict[str, ForeignOption] = {
    **{name: ForeignOption(_SMB, _OWNER) for name in ("dir_mode", "file_mode", "forceuid", "forcegid", "noperm")},
    **{name: ForeignOption(_SMB, _ACCESS) for name in ("username", "password", "pass", "credentials", "cred", "guest")},
    **{
        name: ForeignOption(_SMB)
        for name in (
            "domain", "setuids", "mfsymlinks", "nobrl", "serverino", "noserverino", "cache", "iocharset", "nounix",
            "sfu", "mapposix", "mapchars", "nomapposix", "seal", "sign", "multichannel", "max_channels", "nosharesock",
            "echo_interval", "persistenthandles", "resilienthandles", "nodfs", "ip", "unc", "cifsacl", "idsfromsid",
            "modefromsid", "dynperm", "nostrictsync", "strictcache", "handlecache", "nohandlecache", "closetimeo",
            "esize", "snapshot",
        )
    },
    **{name: ForeignOption(_OTHER, _OWNER) for name in ("uid", "gid", "umask", "fmask", "dmask", "mode")},
    **{
        name: ForeignOption(_SERVER, _EXPORTS)
        for name in (
            "no_root_squash", "root_squash", "all_squash", "no_all_squash", "anonuid", "anongid", "subtree_check",
            "no_subtree_check", "secure", "insecure", "fsid", "crossmnt", "nohide", "hide", "wdelay", "no_wdelay",
            "mountpoint", "secure_locks", "insecure_locks", "no_auth_nlm", "auth_nlm", "no_acl", "pnfs", "no_pnfs",
        )
    },
    **{
        name: ForeignOption(_LOCAL)
        for name in (
            "data", "barrier", "nobarrier", "errors", "discard", "nodiscard", "user_xattr", "nouser_xattr", "commit",
            "journal_checksum", "delalloc", "inode64", "largeio", "pquota", "prjquota", "uquota", "gquota", "nouuid",
            "swalloc", "compress", "subvol", "autodefrag", "ssd", "size", "nr_inodes", "stripe", "logbufs", "logbsize",
            "sub", "nosub", "quota", "noquota", "usrquota", "grpquota", "quiet", "offset", "bind",
            "rbind", "remount", "move",
        )
    },
    **{
        name: ForeignOption(_EFS, Text("encryption needs its CSI driver", "加密需要使用它的 CSI 驱动"))
        for name in ("tls", "notls", "iam", "accesspoint", "awscredsuri", "awsprofile", "netns", "mounttargetip", "az")
    },
    **{
        name: ForeignOption(_OTHER)
        for name in (
            "name", "allow_other", "secret",
            "secretfile", "mds_namespace", "backup-volfile-servers", "backupvolfile-server",
            "log-level", "log-file", "direct-io-mode", "flock", "localflock", "user_subvol_rm_allowed",
        )
    },
    **{
        name: ForeignOption(Text("of the NFS of BSD, macOS or Solaris", "BSD、macOS 或 Solaris 的 NFS 的"))
        for name in ("nolocks", "locallocks", "nolockd", "mntudp", "dumbtimer", "readahead", "nfsv2", "deadthresh",
                     "rdirsize", "nonegnamecache", "largefiles", "llock", "xattr", "noxattr", "quorum")
    },
}  # fmt: skip

VENDORS = {
    **dict.fromkeys(("remoteports", "localports", "spread_reads", "spread_writes", "noidlexprt", "forcerdirplus",
                     "noforcerdirplus", "mdconnect", "local_path"), "VAST Data"),
    **dict.fromkeys(("sharetransport", "nosharetransport"), "SUSE"),
    **dict.fromkeys(("sunrpcid", "fasc"), "some vendors"),
}  # fmt: skip
"""Options that only patched clients know: those of storage vendors and distributions."""

ALIASES = {
    "nfsver": "nfsvers", "nfs_version": "nfsvers", "nfsversion": "nfsvers", "nfs_vers": "nfsvers", "version": "nfsvers",
    "ver": "nfsvers", "minor": "minorversion", "minorvers": "minorversion", "timeout": "timeo", "time": "timeo",
    "retries": "retrans", "retransmit": "retrans", "retransmissions": "retrans", "connections": "nconnect",
    "security": "sec", "protocol": "proto", "transport": "proto", "readsize": "rsize", "writesize": "wsize",
}  # fmt: skip
"""Names that people write, and what they mean."""

WHOLE = {
    "nfs4": "nfsvers=4.1", "nfsv4": "nfsvers=4.1", "nfsv4.1": "nfsvers=4.1", "nfsv4.2": "nfsvers=4.2",
    "nfsv4.0": "nfsvers=4.0", "nfs4.1": "nfsvers=4.1", "nfs4.2": "nfsvers=4.2", "nfsv3": "nfsvers=3",
    "nfs3": "nfsvers=3",
    "nfs": "", "tcp6": "proto=tcp6", "udp6": "proto=tcp6", "rdma6": "proto=rdma6", "read-only": "ro", "readonly": "ro",
    "readwrite": "rw", "read-write": "rw", "nohard": "soft", "nosoft": "hard", "nosofterr": "hard", "sys": "sec=sys",
    "krb5": "sec=krb5", "krb5i": "sec=krb5i", "krb5p": "sec=krb5p", "4.1": "nfsvers=4.1", "4.2": "nfsvers=4.2",
    "4": "nfsvers=4", "3": "nfsvers=3",
}  # fmt: skip
"""Whole options that people write, and what to write instead."""

FLAVOURS = ("sys", "krb5", "krb5i", "krb5p", "none", "null")
"""What `sec` takes and kernels can do; lkey and spkm3 are parsed, and no mechanism answers to them."""
