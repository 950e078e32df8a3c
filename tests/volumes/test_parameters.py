"""Class parameters and mount options: parsed strictly, and refused by name with what would work."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from berth.volumes.errors import Refused
from berth.volumes.parameters import (
    KNOWN,
    mountable_address,
    parse_export,
    parse_parameters,
    parse_server,
    share_address,
)
from berth.volumes.share import ShareAddress
from tests.volumes.builders import answer_of

GIB = 1024**3


def test_a_class_without_parameters_archives_into_the_default_share() -> None:
    parameters = parse_parameters({}, server="nfs", export="/srv")
    assert (parameters.server, parameters.export) == ("nfs", "/srv")
    assert (parameters.on_delete, parameters.sharing, parameters.mode) == ("archive", "deny", 0o777)
    assert (parameters.uid, parameters.gid, parameters.min_bytes, parameters.max_bytes) == (None,) * 4


def test_a_class_names_its_own_share() -> None:
    parameters = parse_parameters({"server": "10.0.0.9", "share": "/data/"}, server="nfs", export="/srv")
    assert (parameters.server, parameters.export) == ("10.0.0.9", "/data")


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        pytest.param("archiveOnDelet", "archiveOnDelete", id="a letter missing"),
        pytest.param("ArchiveOnDelete", "archiveOnDelete", id="another case"),
        pytest.param("subdir", "subDir", id="csi-driver-nfs writes it in any case"),
        pytest.param("onDeleted", "onDelete", id="a letter too many"),
        pytest.param("fsType", "", id="nothing like it"),
        pytest.param("", "", id="an empty key"),
    ],
)
def test_an_unknown_parameter_is_refused_with_the_nearest_known_one(key: str, meant: str) -> None:
    with pytest.raises(Refused) as refusal:
        parse_parameters({key: "true"})
    told = refusal.value
    assert (told.field, told.parameter, told.suggestion) == (f"parameter {key}", key, meant)
    assert (f"did you mean {meant}?" if meant else "known are server, share") in told.why


def test_what_is_no_parameter_of_the_class_is_not_told_as_one() -> None:
    with pytest.raises(Refused) as refusal:
        parse_parameters({"uid": "root"})
    assert refusal.value.parameter == "uid"
    with pytest.raises(Refused) as refusal:
        share_address("server", "/export", ("nfsvers=9",))
    assert refusal.value.parameter is None


@pytest.mark.parametrize(
    ("parameters", "end"),
    [
        pytest.param({"archiveOnDelete": "false"}, "delete", id="archiveOnDelete false deletes"),
        pytest.param({"archiveOnDelete": "F"}, "delete", id="every spelling that the reference takes"),
        pytest.param({"archiveOnDelete": "true"}, "archive", id="archiveOnDelete true archives"),
        pytest.param({"archiveOnDelete": "false", "onDelete": "retain"}, "retain", id="onDelete wins"),
        pytest.param({"onDelete": "delete"}, "delete", id="delete"),
        pytest.param({"onDelete": "archive"}, "archive", id="archive"),
        pytest.param({"onDelete": "", "archiveOnDelete": "false"}, "delete", id="an empty onDelete is none"),
    ],
)
def test_the_end_of_a_volume(parameters: dict[str, str], end: str) -> None:
    assert parse_parameters(parameters).on_delete == end


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        pytest.param({"onDelete": "Delete"}, "onDelete", id="an end in another case"),
        pytest.param({"onDelete": "remove"}, "onDelete", id="an end that does not exist"),
        pytest.param({"archiveOnDelete": "yes"}, "archiveOnDelete", id="neither true nor false"),
        pytest.param({"archiveOnDelete": "no", "onDelete": "retain"}, "archiveOnDelete", id="even where onDelete wins"),
        pytest.param({"archiveOnDelete": ""}, "archiveOnDelete", id="an empty archiveOnDelete"),
        pytest.param({"pathPattern": "a", "subDir": "b"}, "subDir", id="two patterns"),
        pytest.param({"pathPattern": "../x"}, "pathPattern", id="a pattern that leads out"),
        pytest.param({"subDir": "../x"}, "subDir", id="a subDir that leads out"),
        pytest.param({"mountPermissions": "0077"}, "mountPermissions", id="a mode of csi's that locks the owner out"),
        pytest.param({"directoryMode": "0"}, "directoryMode", id="no mode at all, in Berth's own spelling"),
        pytest.param({"share": "/srv/nfs", "pathPattern": "/srv/nfs/x"}, "pathPattern", id="the share again"),
        pytest.param({"share": "/srv/nfs", "subDir": "/srv/nfs"}, "subDir", id="the share's own path alone"),
        pytest.param({"server": ""}, "server", id="an empty server"),
        pytest.param({"share": "data"}, "share", id="a share that is not absolute"),
        pytest.param({"directoryMode": "rwx"}, "directoryMode", id="a mode in letters"),
        pytest.param({"directoryMode": "0o750"}, "directoryMode", id="a mode as Python writes it"),
        pytest.param({"directoryMode": "888"}, "directoryMode", id="a mode that is not octal"),
        pytest.param({"directoryMode": "10777"}, "directoryMode", id="a mode too large"),
        pytest.param({"directoryMode": ""}, "directoryMode", id="an empty mode"),
        pytest.param({"directoryMode": "0077"}, "directoryMode", id="a mode that locks the owner out"),
        pytest.param({"directoryMode": "0770", "mountPermissions": "0777"}, "mountPermissions", id="two modes"),
        pytest.param({"uid": "-1"}, "uid", id="a negative uid"),
        pytest.param({"uid": "root"}, "uid", id="a user's name"),
        pytest.param({"gid": "4294967295"}, "gid", id="the gid that means: leave it"),
        pytest.param({"gid": "٣"}, "gid", id="digits of another script"),
        pytest.param({"sharedPaths": "true"}, "sharedPaths", id="an unknown way of sharing"),
        pytest.param({"minSize": "10Gi"}, "minSize", id="a size with a unit"),
        pytest.param({"maxSize": "-1"}, "maxSize", id="a negative size"),
        pytest.param({"maxSize": "NaN"}, "maxSize", id="not a number"),
        pytest.param({"maxSize": "1e3"}, "maxSize", id="a size with an exponent"),
        pytest.param({"maxSize": "9999999999"}, "maxSize", id="a size beyond what Kubernetes can say"),
        pytest.param({"stepSize": "x"}, "stepSize", id="a step that is no number, though it is not used"),
        pytest.param({"minSize": "5", "maxSize": "4"}, "minSize", id="a minimum above the maximum"),
    ],
)
def test_a_malformed_parameter_is_refused_by_name(parameters: dict[str, str], field: str) -> None:
    with pytest.raises(Refused) as refusal:
        parse_parameters(parameters)
    assert refusal.value.field == f"parameter {field}"


def test_good_values_are_understood() -> None:
    parameters = parse_parameters(
        {"mountPermissions": "2770", "uid": "0", "gid": "4294967294", "sharedPaths": "namespace", "minSize": "0.5",
         "maxSize": "2048", "stepSize": "1", "subDir": "${pv.metadata.name}"}
    )  # fmt: skip
    assert (parameters.mode, parameters.uid, parameters.gid) == (0o2770, 0, 4294967294)
    assert (parameters.min_bytes, parameters.max_bytes) == (GIB // 2, 2048 * GIB)
    assert parameters.sharing == "namespace"
    assert parameters.pattern.is_unique


def test_the_largest_values_are_good() -> None:
    parameters = parse_parameters({"directoryMode": "7777", "maxSize": str(2**33)})
    assert (parameters.mode, parameters.max_bytes) == (0o7777, 2**63)
    assert share_address("nfs", "/srv", ("port=65535",)).port == 65535


def test_the_same_mode_may_be_given_twice() -> None:
    assert parse_parameters({"directoryMode": "0770", "mountPermissions": "770"}).mode == 0o770


@pytest.mark.parametrize("zero", ["0", "00", "0000", ""])
def test_mount_permissions_of_zero_leave_the_mode_alone_as_csi_has_it(zero: str) -> None:
    csi = {"subDir": "${pvc.metadata.namespace}/${pvc.metadata.name}", "onDelete": "archive"}
    assert parse_parameters({**csi, "mountPermissions": zero}).mode == 0o777
    assert parse_parameters({**csi, "mountPermissions": zero, "directoryMode": "0750"}).mode == 0o750


def test_a_pattern_may_begin_as_the_share_does() -> None:
    assert parse_parameters({"share": "/srv", "pathPattern": "/srv-b/x"}).pattern.text == "/srv-b/x"
    assert parse_parameters({"share": "/srv", "pathPattern": "srv/x"}).pattern.text == "srv/x"
    assert parse_parameters({"share": "/", "pathPattern": "/x"}).pattern.text == "/x"


def test_an_empty_pattern_means_the_default_as_in_the_reference() -> None:
    assert parse_parameters({"pathPattern": "", "subDir": ""}).pattern.is_unique


@given(st.dictionaries(st.one_of(st.sampled_from(KNOWN), st.text(max_size=10)), st.text(max_size=30)))
@example({"minSize": "0E+999999999999999999"})
@example({"uid": "²"})
@example({"directoryMode": "٧٧٧"})
@example({"share": "/\ud800"})
@example({"server": "fe80::1%\n"})
def test_whatever_the_parameters_the_answer_is_good_or_refused(parameters: dict[str, str]) -> None:
    parsed = answer_of(lambda: parse_parameters(parameters))
    if isinstance(parsed, Refused):
        assert parsed.field.startswith("parameter ")
        return
    assert parsed.export == "" or parsed.export.startswith("/")
    assert 0o700 <= parsed.mode <= 0o7777
    assert parsed.on_delete in ("delete", "archive", "retain")


@pytest.mark.parametrize(
    ("text", "server"),
    [
        pytest.param("nfs.example.com", "nfs.example.com", id="a name"),
        pytest.param("nfs.example.com.", "nfs.example.com.", id="a name with its final dot"),
        pytest.param("file_server", "file_server", id="a name with an underscore"),
        pytest.param("192.168.0.229", "192.168.0.229", id="an IPv4 address"),
        pytest.param("fd00::1", "fd00::1", id="an IPv6 address"),
        pytest.param("[fd00::1]", "fd00::1", id="an IPv6 address in brackets"),
        pytest.param("fe80::1%eth0", "fe80::1%eth0", id="an IPv6 address with a zone"),
    ],
)
def test_a_server_is_a_name_or_an_address(text: str, server: str) -> None:
    assert parse_server(text, "parameter server") == server


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("nfs:/srv", id="a server and a path"),
        pytest.param("nfs:2049", id="a server and a port"),
        pytest.param("[nfs]", id="a name in brackets"),
        pytest.param("[fd00::1", id="half a pair of brackets"),
        pytest.param("[fd00::1x", id="something in a bracket's place"),
        pytest.param("xfd00::1]", id="something in the other bracket's place"),
        pytest.param("x::y", id="colons that make no address"),
        pytest.param("one,two", id="two servers"),
        pytest.param("nfs server", id="a space"),
        pytest.param("nfs\n", id="a line break"),
        pytest.param("-onosuid", id="what mount(8) would take for an option"),
        pytest.param("nfs/srv", id="a slash"),
        pytest.param("nfs\0", id="a NUL"),
        pytest.param("fe80::1%eth\n0", id="a line break in a zone"),
    ],
)
def test_what_is_no_server_is_refused(text: str) -> None:
    with pytest.raises(Refused, match=r"^parameter server: "):
        parse_server(text, "parameter server")


@pytest.mark.parametrize("text", ["nfs:/srv", "nfs:2049"])
def test_a_server_with_more_than_a_server_is_told_where_the_rest_belongs(text: str) -> None:
    with pytest.raises(Refused, match="the port as the mount option port=, the path as share"):
        parse_server(text, "parameter server")


@pytest.mark.parametrize(
    ("text", "export"),
    [
        pytest.param("/", "/", id="the root"),
        pytest.param("//", "/", id="the root, written twice"),
        pytest.param("/srv/nfs/", "/srv/nfs", id="a slash at the end"),
        pytest.param("//srv///nfs", "/srv/nfs", id="several slashes"),
        pytest.param("/srv/with space", "/srv/with space", id="a space"),
    ],
)
def test_an_export_is_brought_into_normal_form(text: str, export: str) -> None:
    assert parse_export(text, "parameter share") == export


@pytest.mark.parametrize("text", ["", "srv", "/srv/..", "/./srv", "/srv\0", "/srv\nx"])
def test_what_is_no_export_is_refused(text: str) -> None:
    with pytest.raises(Refused, match=r"^parameter share: "):
        parse_export(text, "parameter share")


@pytest.mark.parametrize(
    ("options", "address"),
    [
        pytest.param((), ShareAddress("nfs", "/srv"), id="none"),
        pytest.param(("hard", "noatime"), ShareAddress("nfs", "/srv"), id="options that say nothing of this"),
        pytest.param(("nfsvers=4.1",), ShareAddress("nfs", "/srv", version="4.1"), id="nfsvers"),
        pytest.param(("vers=3", "port=2050"), ShareAddress("nfs", "/srv", version="3", port=2050), id="vers and port"),
        pytest.param(("v4.2",), ShareAddress("nfs", "/srv", version="4.2"), id="the short form"),
        pytest.param(("tcp",), ShareAddress("nfs", "/srv", proto="tcp"), id="a bare protocol"),
        pytest.param(
            ("hard,nfsvers=3, mountport=20048",),
            ShareAddress("nfs", "/srv", version="3", mountport=20048),
            id="several in one entry",
        ),
        pytest.param(("mountproto=tcp",), ShareAddress("nfs", "/srv", version="3"), id="what is NFSv3's only"),
        pytest.param(("rdma", "port=20049"), ShareAddress("nfs", "/srv"), id="a transport for nodes only"),
    ],
)
def test_mount_options_say_how_to_speak_to_a_share(options: tuple[str, ...], address: ShareAddress) -> None:
    assert share_address("nfs", "/srv", options) == address


@pytest.mark.parametrize(
    "option",
    [
        "nfsvers=5",
        "vers=2",
        "proto=sctp",
        "port=",
        "port=x",
        "port=70000",
        "port=0000002049",
        "port=²",
        "port=٣",
        "mountport=-1",
    ],
)
def test_a_mount_option_that_makes_no_sense_is_refused(option: str) -> None:
    with pytest.raises(Refused, match=f"^mountOptions: .*{option.partition('=')[2]}"):
        share_address("nfs", "/srv", (option,))


@given(st.lists(st.text(max_size=12)))
def test_whatever_the_mount_options_the_answer_is_good_or_refused(options: list[str]) -> None:
    address = answer_of(lambda: share_address("nfs", "/srv", tuple(options)))
    if isinstance(address, Refused):
        assert address.field == "mountOptions"
    else:
        assert 0 <= address.port <= 65535


@pytest.mark.parametrize(
    ("parameters", "field", "character", "whole"),
    [
        pytest.param({"server": "10。0。0。5"}, "server", "IDEOGRAPHIC FULL STOP", "10.0.0.5", id="server"),
        pytest.param({"share": "／srv"}, "share", "FULLWIDTH SOLIDUS", "/srv", id="share"),
        pytest.param({"share": "/srv\u200b"}, "share", "ZERO WIDTH SPACE", "/srv", id="not seen"),
        pytest.param({"pathPattern": "${.PVC.namespace}／x"}, "pathPattern", "SOLIDUS", "namespace}/x", id="a pattern"),
        pytest.param(
            {"pathPattern": "＄｛.PVC.name｝"}, "pathPattern", "DOLLAR SIGN", "${.PVC.name}", id="a placeholder"
        ),
        pytest.param({"subDir": "a\u00a0b"}, "subDir", "NO-BREAK SPACE", "a b", id="a blank"),
        pytest.param({"onDelete": "“retain”"}, "onDelete", "LEFT DOUBLE QUOTATION MARK", "retain", id="quotes"),
        pytest.param({"archiveOnDelete": "ｆalse"}, "archiveOnDelete", "LATIN SMALL LETTER F", "false", id="a letter"),
        pytest.param({"directoryMode": "０770"}, "directoryMode", "FULLWIDTH DIGIT ZERO", "0770", id="a digit"),
        pytest.param({"minSize": "1．5"}, "minSize", "FULLWIDTH FULL STOP", "1.5", id="a size"),
        pytest.param({"on\u200bDelete": "retain"}, "on\u200bDelete", "ZERO WIDTH SPACE", "onDelete", id="a key"),
    ],
)
def test_what_a_chinese_keyboard_types_is_named(
    parameters: dict[str, str], field: str, character: str, whole: str
) -> None:
    with pytest.raises(Refused) as refused:
        parse_parameters(parameters, server="nfs", export="/srv")
    assert refused.value.parameter == field
    assert character in refused.value.why
    assert whole in refused.value.why


@pytest.mark.parametrize(
    "option", ["hard，nfsvers=4.1", "nfsvers＝4.1", "nfsvers=4．1", "ｈard", "hard\u3000", "—hard"]
)
def test_a_mount_option_of_a_chinese_keyboard_is_named(option: str) -> None:
    with pytest.raises(Refused, match=r"mountOptions: character \d+ of .* is .*U\+"):
        mountable_address("nfs", "/srv", (option,))


def test_chinese_names_of_directories_are_names() -> None:
    parameters = parse_parameters({"share": "/数据（旧）", "pathPattern": "项目/${.PVC.name}（卷）"}, server="nfs")
    assert parameters.export == "/数据（旧）"
