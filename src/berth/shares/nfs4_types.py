"""NFSv4.0's messages as libnfs lays them out in memory (nfsc/libnfs-raw-nfs4.h; RFC 7530).

A COMPOUND is an array of operations, each a number and a union of arguments or results. A union is as large as its
largest member, which makes the two sizes below part of libnfs's binary interface: the same in libnfs 4 and 5.
"""

from __future__ import annotations

from ctypes import c_char_p, c_uint32, c_uint64, c_void_p

from berth.shares.libnfs import result, struct

ARGUMENT_SIZE = 136
RESULT_SIZE = 160
UNION_OFFSET = 8

# Operations, RFC 7530 section 16.2.
CLOSE, CREATE, GETATTR, GETFH, LINK, LOOKUP, OPEN, OPEN_CONFIRM, PUTFH, PUTROOTFH = 4, 6, 9, 10, 11, 15, 18, 20, 22, 24
READ, READDIR, REMOVE, RENAME, SAVEFH, SETATTR, SETCLIENTID, SETCLIENTID_CONFIRM = 25, 26, 28, 29, 32, 34, 35, 36
VERIFY, WRITE = 37, 38

DIRECTORY = 2
ACCESS_BOTH, DENY_NONE, CLAIM_NULL = 3, 0, 0
CREATE_FILE, GUARDED = 1, 1
MUST_CONFIRM = 2
"""OPEN4_RESULT_CONFIRM: the server wants to hear again from an owner that is new to it."""
FILE_SYNC = 2

text = struct("utf8string", size=c_uint32, bytes=c_char_p)
"""Any counted bytes as an argument: a name (LOOKUP, REMOVE, LINK), a handle (PUTFH), data."""
text_reply = struct("utf8string_reply", size=c_uint32, bytes=c_void_p)
bitmap = struct("bitmap4", size=c_uint32, words=c_void_p)
"""Also the arguments of GETATTR."""
attributes = struct("fattr4", mask=bitmap, values=text)
state = struct("stateid4", seqid=c_uint32, other=c_uint32 * 3)

create_how = struct("createhow4", mode=c_uint32, attributes=attributes)
OPEN_args = struct(
    "OPEN4args",
    seqid=c_uint32,
    access=c_uint32,
    deny=c_uint32,
    client=c_uint64,
    owner=text,
    create=c_uint32,
    how=create_how,
    claim=c_uint32,
    file=text,
)
CREATE_args = struct("CREATE4args", type=c_uint32, device=c_uint64 * 2, name=text, attributes=attributes)
WRITE_args = struct("WRITE4args", state=state, offset=c_uint64, stable=c_uint32, data=text)
READ_args = struct("READ4args", state=state, offset=c_uint64, count=c_uint32)
READDIR_args = struct(
    "READDIR4args", cookie=c_uint64, verifier=c_uint64, dircount=c_uint32, maxcount=c_uint32, wanted=bitmap
)
RENAME_args = struct("RENAME4args", old=text, new=text)
SETATTR_args = struct("SETATTR4args", state=state, attributes=attributes)
CLOSE_args = struct("CLOSE4args", seqid=c_uint32, state=state)
OPEN_CONFIRM_args = struct("OPEN_CONFIRM4args", state=state, seqid=c_uint32)
SETCLIENTID_args = struct(
    "SETCLIENTID4args",
    verifier=c_uint64,
    id=text,
    callback_program=c_uint32,
    netid=c_char_p,
    address=c_char_p,
    callback_ident=c_uint32,
)
SETCLIENTID_CONFIRM_args = struct("SETCLIENTID_CONFIRM4args", client=c_uint64, verifier=c_uint64)

operations = struct("argarray", count=c_uint32, first=c_void_p)
COMPOUND_args = struct("COMPOUND4args", tag=text, minorversion=c_uint32, operations=operations)
COMPOUND = struct("COMPOUND4res", status=c_uint32, tag=text_reply, count=c_uint32, results=c_void_p)

attributes_reply = struct("fattr4_reply", mask=bitmap, values=text_reply)
STATUS_result = result("nfsstat4")
GETFH_result = result("GETFH4res", handle=text_reply)
GETATTR_result = result("GETATTR4res", attributes=attributes_reply)
OPEN_result = result("OPEN4res", state=state, atomic=c_uint32, before=c_uint64, after=c_uint64, flags=c_uint32)
OPEN_CONFIRM_result = result("OPEN_CONFIRM4res", state=state)
READ_result = result("READ4res", eof=c_uint32, data=text_reply)
WRITE_result = result("WRITE4res", count=c_uint32)
SETCLIENTID_result = result("SETCLIENTID4res", client=c_uint64, verifier=c_uint64)
READDIR_result = result("READDIR4res", verifier=c_uint64, entries=c_void_p, eof=c_uint32)
entry = struct("entry4", cookie=c_uint64, name=text_reply, attributes=attributes_reply, next=c_void_p)
