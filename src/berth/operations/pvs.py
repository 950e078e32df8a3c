"""PVs as commands about single volumes see them: where each lies, and what of it can be said without a record."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from berth.findings.finding import Subject
from berth.kube.client import Api
from berth.kube.errors import NotFound
from berth.objects import translation
from berth.objects.kinds import ClassObject, VolumeObject
from berth.objects.listing import read_all
from berth.objects.quantity import to_bytes
from berth.operations.errors import Stopped
from berth.operations.findings import find
from berth.texts.text import Text
from berth.volumes.errors import Refused
from berth.volumes.parameters import parse_export, parse_parameters, parse_server, share_address
from berth.volumes.plan import DefaultShare
from berth.volumes.records import Record
from berth.volumes.release import end_of, path_of, share_of
from berth.volumes.share import ShareAddress


@dataclass(frozen=True, slots=True)
class KnownVolume:
    """A PV that is in the cluster, and where its directory should be."""

    volume: VolumeObject
    address: ShareAddress
    record: Record
    """What the PV says, as a record would."""


@dataclass(frozen=True, slots=True)
class KnownShare:
    """A share that the cluster uses, and the mount options that go with it."""

    address: ShareAddress
    options: tuple[str, ...]


def parse_share(text: str) -> DefaultShare:
    """`HOST:/EXPORT` as an option gives it; no share for the empty text. Refused, naming the option."""
    if not text:
        return DefaultShare()
    server, separator, export = text.partition(":/")
    if not separator:
        raise Refused("--share", f"{text!r} is not of the form HOST:/EXPORT")
    return DefaultShare(parse_server(server, "--share"), parse_export("/" + export, "--share"))


async def read_volume(api: Api, pv: str, cluster: str, share: DefaultShare) -> KnownVolume | None:
    """The PV of that name; None where there is none. share: where it lies, if the PV does not say so. Stopped for one
    that is no volume of Berth's, or of a provisioner that it answers to.
    """
    try:
        volume = await api.get(VolumeObject, pv)
    except NotFound:
        return None
    of_class = None
    with suppress(NotFound):
        of_class = await api.get(ClassObject, (volume.spec.storageClassName if volume.spec else None) or "-")
    if not translation.provisioned_by(volume):
        raise Stopped(
            Text(
                f"PV {pv} was made by hand: Berth leaves its directory where it is, so there is nothing to bring back "
                "and no end to change",
                f"PV {pv} 是手工创建的：Berth 不会动它的目录，因此无需恢复，也没有处理方式可改",
            ),
            Subject("volume", pv),
        )
    try:
        request = translation.release_request_of(volume, of_class)
        address = share_of(request, share)
        path = path_of(request, address)
        end = end_of(request)
    except Refused as refusal:
        said = find("share-unsaid", Subject("volume", pv), refusal=Text(str(refusal), str(refusal)))
        raise Stopped(said.seen if share.server else said, *said.about) from refusal
    record = Record(
        cluster=cluster, pv=pv, namespace=request.claim.namespace, claim=request.claim.name,
        claim_uid=request.claim.uid, class_name=request.class_name, path=path, capacity=_size(volume), mode="",
        on_delete=end, provisioner=translation.provisioned_by(volume), created="",
        adopted="true" if volume.annotations.get(translation.ADOPTED) else "",
    )  # fmt: skip
    return KnownVolume(volume, address, record)


async def shares_in_use(api: Api, share: DefaultShare) -> list[KnownShare]:
    """All shares that classes and PVs name; only the one that is given, if one is. KubeError."""
    found: dict[ShareAddress, KnownShare] = {}
    for one in _named([*await read_all(api, ClassObject)], await read_all(api, VolumeObject), share):
        found.setdefault(one.address, one)
    if not share.server or not share.export:
        return list(found.values())
    named = [one for one in found.values() if (one.address.server, one.address.export) == (share.server, share.export)]
    return named or [KnownShare(share_address(share.server, share.export, ()), ())]


def _named(classes: list[ClassObject], volumes: list[VolumeObject], share: DefaultShare) -> Iterator[KnownShare]:
    for of_class in classes:
        with suppress(Refused):
            parameters = parse_parameters(of_class.parameters or {}, server=share.server, export=share.export)
            if parameters.server and parameters.export:
                options = tuple(of_class.mountOptions or ())
                yield KnownShare(share_address(parameters.server, parameters.export, options), options)
    for volume in volumes:
        if translation.is_by_berth(volume):
            with suppress(Refused):
                request = translation.release_request_of(volume, None)
                yield KnownShare(share_of(request, share), request.mount_options)


def _size(volume: VolumeObject) -> int:
    try:
        return to_bytes(translation.capacity_of(volume))
    except ValueError:
        return 0
