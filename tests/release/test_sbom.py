"""The bill of materials: all that is in the root, with hashes and licences whose texts are there."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

from berth import __version__
from devcluster.errors import DevClusterError
from release import debian, root, sbom
from release.hashes import listed
from release.machines import native
from release.wheels import RUNNING

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def bill(native_root: Path) -> Any:
    """What was written into the root."""
    return json.loads((native_root / sbom.PLACE).read_text())


def test_it_is_what_cyclonedx_says_and_tells_no_day(native_root: Path, tmp_path: Path, bill: Any) -> None:
    text = (native_root / sbom.PLACE).read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    assert "timestamp" not in text
    assert sbom.write(native(), native_root, tmp_path / "log").read_text() == text
    told = {name: bill["metadata"]["component"][name] for name in ("name", "type", "version")}
    assert told == {"name": "berth-nfs", "type": "application", "version": __version__}
    assert bill["serialNumber"].startswith("urn:uuid:")


def test_all_that_the_root_is_made_of_is_in_it(bill: Any) -> None:
    purls = [PackageURL.from_string(one["purl"]) for one in bill["components"]]
    packages = {(one.name, one.version) for one in purls if one.type == "deb"}
    assert packages == {(one.name, one.version) for one in debian.locked(native())}
    known = listed(RUNNING.read_text())
    wheels = {one["name"]: (one["version"], one["hashes"][0]["content"]) for one in bill["components"]}
    for name, (version, hashes) in known.items():
        assert wheels[name][0] == version
        assert wheels[name][1] in hashes
    assert len(purls) == len(packages) + len(known)


def test_every_licence_is_in_the_root(native_root: Path, bill: Any) -> None:
    for one in (bill["metadata"]["component"], *bill["components"]):
        assert one["licenses"], one["name"]
        texts = [part["value"] for part in one["properties"] if part["name"] == sbom.FILES]
        told = "".join((native_root / text).read_text(errors="replace") for text in texts)
        assert len(told) > 200, one["name"]
        # Debian's texts name others, which every Debian has, and so has the root.
        for other in re.findall(r"/usr/share/common-licenses/[\w.-]*\w", told):
            assert (native_root / other.lstrip("/")).exists(), (one["name"], other)


def test_what_has_no_licence_is_not_released(native_root: Path, tmp_path: Path) -> None:
    text = native_root / root.SITE / "mdurl-0.1.2.dist-info/LICENSE"
    (aside := tmp_path / "LICENSE").write_text(text.read_text())
    text.unlink()
    try:
        with pytest.raises(DevClusterError, match=r"pkg:pypi/mdurl@0\.1\.2: its licence \(MIT\) is not in the root"):
            sbom.write(native(), native_root, tmp_path / "log")
    finally:
        text.write_text(aside.read_text())
