"""What mountd says of an export beside its handle: with which security flavours it may be used."""

from __future__ import annotations

import pytest

from berth.nfs import NfsError, Status
from berth.nfs.mount import read_mounted
from berth.nfs.xdr import Reader, opaque, uint

HANDLE = b"a handle"


def answer(*flavours: int) -> Reader:
    listed = uint(len(flavours)) + b"".join(map(uint, flavours))
    return Reader(uint(0) + opaque(HANDLE) + listed)


@pytest.mark.parametrize("flavours", [(), (1,), (390003, 1), (0,), (1, 390005)])
def test_an_export_that_takes_sys_is_handed_out(flavours: tuple[int, ...]) -> None:
    assert read_mounted(answer(*flavours)) == HANDLE


def test_one_for_kerberos_only_is_told_with_its_flavours() -> None:
    with pytest.raises(NfsError) as told:
        read_mounted(answer(390003, 390004, 390005))
    assert (told.value.code, told.value.name) == (Status.WRONGSEC, "sec=krb5:krb5i:krb5p")
    with pytest.raises(NfsError, match="sec=300000"):
        read_mounted(answer(300000))


def test_a_refusal_is_mountds_own() -> None:
    with pytest.raises(NfsError) as told:
        read_mounted(Reader(uint(13)))
    assert told.value.name == "MNT3ERR_ACCES"
