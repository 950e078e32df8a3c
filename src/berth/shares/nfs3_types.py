"""NFSv3's and MOUNT's messages as libnfs lays them out in memory (nfsc/libnfs-raw-nfs.h, libnfs-raw-mount.h; RFC 1813).

Members that stand behind the last one Berth reads are left out: libnfs owns the memory of replies.
"""

from __future__ import annotations

from ctypes import c_char_p, c_uint32, c_uint64, c_void_p

from berth.shares.libnfs import result, struct

handle = struct("nfs_fh3", size=c_uint32, bytes=c_char_p)
"""As an argument; libnfs reads size bytes, NUL or not."""
handle_reply = struct("nfs_fh3_reply", size=c_uint32, bytes=c_void_p)
place = struct("diropargs3", directory=handle, name=c_char_p)

optional_number = struct("set_mode3", given=c_uint32, value=c_uint32)
optional_size = struct("set_size3", given=c_uint32, value=c_uint64)
optional_time = struct("set_atime", how=c_uint32, seconds=c_uint32, nanoseconds=c_uint32)
new_attributes = struct(
    "sattr3",
    mode=optional_number,
    uid=optional_number,
    gid=optional_number,
    size=optional_size,
    atime=optional_time,
    mtime=optional_time,
)
guard = struct("sattrguard3", check=c_uint32, seconds=c_uint32, nanoseconds=c_uint32)

time = struct("nfstime3", seconds=c_uint32, nanoseconds=c_uint32)
attributes = struct(
    "fattr3",
    type=c_uint32,
    mode=c_uint32,
    nlink=c_uint32,
    uid=c_uint32,
    gid=c_uint32,
    size=c_uint64,
    used=c_uint64,
    rdev_major=c_uint32,
    rdev_minor=c_uint32,
    fsid=c_uint64,
    fileid=c_uint64,
    atime=time,
    mtime=time,
    ctime=time,
)
maybe_attributes = struct("post_op_attr", follow=c_uint32, value=attributes)
maybe_handle = struct("post_op_fh3", follow=c_uint32, value=handle_reply)
times_and_size = struct("wcc_attr", size=c_uint64, mtime=time, ctime=time)
maybe_before = struct("pre_op_attr", follow=c_uint32, value=times_and_size)
change = struct("wcc_data", before=maybe_before, after=maybe_attributes)

GETATTR_args = struct("GETATTR3args", object=handle)
GETATTR = result("GETATTR3res", attributes=attributes)
SETATTR_args = struct("SETATTR3args", object=handle, attributes=new_attributes, guard=guard)
LOOKUP_args = struct("LOOKUP3args", what=place)
LOOKUP = result("LOOKUP3res", object=handle_reply, attributes=maybe_attributes)
READ_args = struct("READ3args", file=handle, offset=c_uint64, count=c_uint32)
READ = result("READ3res", attributes=maybe_attributes, count=c_uint32, eof=c_uint32, size=c_uint32, bytes=c_void_p)
WRITE_args = struct(
    "WRITE3args", file=handle, offset=c_uint64, count=c_uint32, stable=c_uint32, size=c_uint32, bytes=c_char_p
)
WRITE = result("WRITE3res", change=change, count=c_uint32, committed=c_uint32)
CREATE_args = struct("CREATE3args", where=place, how=c_uint32, attributes=new_attributes)
MKDIR_args = struct("MKDIR3args", where=place, attributes=new_attributes)
CREATE = result("CREATE3res", object=maybe_handle, attributes=maybe_attributes)
"""Of MKDIR as well."""
REMOVE_args = struct("REMOVE3args", object=place)
"""Of RMDIR as well."""
RENAME_args = struct("RENAME3args", source=place, target=place)
LINK_args = struct("LINK3args", file=handle, link=place)
READDIRPLUS_args = struct(
    "READDIRPLUS3args",
    directory=handle,
    cookie=c_uint64,
    verifier=c_uint64,
    dircount=c_uint32,
    maxcount=c_uint32,
)
entry = struct(
    "entryplus3",
    fileid=c_uint64,
    name=c_void_p,
    cookie=c_uint64,
    attributes=maybe_attributes,
    handle=maybe_handle,
    next=c_void_p,
)
READDIRPLUS = result("READDIRPLUS3res", attributes=maybe_attributes, verifier=c_uint64, entries=c_void_p, eof=c_uint32)
FSSTAT = result(
    "FSSTAT3res",
    attributes=maybe_attributes,
    total_bytes=c_uint64,
    free_bytes=c_uint64,
    available_bytes=c_uint64,
    total_files=c_uint64,
    free_files=c_uint64,
    available_files=c_uint64,
)
STATUS = struct("nfsstat3", status=c_uint32)
"""How every result begins, for procedures whose result is nothing else to us."""

MNT = result("mountres3", handle=handle_reply)

UNCHECKED, GUARDED, EXCLUSIVE = 0, 1, 2
FILE_SYNC = 2
