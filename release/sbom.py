"""What the root is made of, as a CycloneDX bill of materials: every Debian package and wheel, its hash and its licence.

The same bytes each time: it tells no day, and its serial number comes of its content.
"""

from __future__ import annotations

import email.parser
import email.policy
import hashlib
import uuid
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import LicenseAcknowledgement
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.spdx import is_supported_id
from packageurl import PackageURL

from devcluster.errors import DevClusterError
from release import debian, root, wheels
from release.labels import SUMMARY, version
from release.machines import Machine

PLACE = "usr/share/doc/berth/berth.cdx.json"
"""Where it lies in the root: scanners look for names like this."""
FILES = "berth:licence"
"""The property that names a component's licence files, below the root."""
_CLASSIFIERS = {
    "License :: OSI Approved :: Apache Software License": "Apache-2.0",
    "License :: OSI Approved :: MIT License": "MIT",
}


def write(machine: Machine, folder: Path, log: Path) -> Path:
    """Writes the bill of the machine's root in folder into it; DevClusterError where a licence is missing."""
    bom = Bom(components=[*_of_debian(machine, folder), *_of_wheels(machine, folder, log)])
    purl = PackageURL("pypi", name="berth-nfs", version=version())
    bom.metadata.component = _component(
        folder, purl, "Apache-2.0", ["usr/share/doc/berth/copyright"], kind=ComponentType.APPLICATION
    )
    bom.metadata.component.description = SUMMARY
    # Of no day; the library's type knows only that there is one by itself.
    bom.metadata.timestamp = None  # type: ignore[assignment]
    bom.register_dependency(bom.metadata.component, bom.components)
    told = "".join(f"{one.purl} {hash_.content}\n" for one in sorted(bom.components) for hash_ in one.hashes)
    bom.serial_number = uuid.uuid5(uuid.NAMESPACE_URL, f"{purl} {machine.name}\n{told}")
    target = folder / PLACE
    target.write_text(f"{JsonV1Dot6(bom).output_as_string(indent=1)}\n")
    return target


def _of_debian(machine: Machine, folder: Path) -> Iterator[Component]:
    for package in debian.locked(machine):
        where = {"arch": package.machine, "distro": debian.SUITE}
        purl = PackageURL("deb", "debian", package.name, package.version, where)
        texts = [f"usr/share/doc/{package.name}/copyright"]
        yield _component(folder, purl, debian.LICENCES[package.name], texts, digest=package.sha256)


def _of_wheels(machine: Machine, folder: Path, log: Path) -> Iterator[Component]:
    digests = {
        wheel.name.split("-")[0].lower(): hashlib.sha256(wheel.read_bytes()).hexdigest()
        for wheel in wheels.fetched(machine, log).iterdir()
    }
    for info in sorted((folder / root.SITE).glob("*.dist-info")):
        name = info.name.split("-")[0].lower()
        if name == "berth_nfs":
            continue
        metadata = email.parser.Parser(policy=email.policy.default).parsestr((info / "METADATA").read_text())
        purl = PackageURL("pypi", name=name.replace("_", "-"), version=metadata["Version"])
        found = sorted({*info.glob("LICENSE*"), *info.glob("licenses/**/*")})
        texts = [one.relative_to(folder).as_posix() for one in found if one.is_file()]
        yield _component(folder, purl, _licence(metadata), texts, digest=digests[name])


def _licence(metadata: EmailMessage) -> str:
    """As the wheel says it: an expression, or what older ones have in its place."""
    if expression := metadata["License-Expression"] or "":
        return str(expression)
    if is_supported_id(name := metadata["License"] or ""):
        return name
    classifiers = metadata.get_all("Classifier", [])
    return " OR ".join(sorted(_CLASSIFIERS[one] for one in classifiers if one in _CLASSIFIERS))


def _component(
    folder: Path,
    purl: PackageURL,
    licence: str,
    texts: list[str],
    *,
    digest: str = "",
    kind: ComponentType = ComponentType.LIBRARY,
) -> Component:
    if not licence or not texts or not all((folder / text).is_file() for text in texts):
        raise DevClusterError(f"{purl}: its licence ({licence or 'none is told'}) is not in the root: {texts}")
    declared = LicenseAcknowledgement.DECLARED
    return Component(
        name=purl.name,
        type=kind,
        version=purl.version,
        bom_ref=str(purl),
        purl=purl,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest)] if digest else [],
        licenses=[LicenseFactory().make_from_string(licence, license_acknowledgement=declared)],
        properties=[Property(name=FILES, value=text) for text in texts],
    )
