"""What Berth posts about PVs whose directories are elsewhere, and about shares, is known to whoever explains it."""

from __future__ import annotations

from io import BytesIO

import pytest

from berth.doctor.explain import Explainer
from berth.findings.finding import Finding
from berth.reconcilers.displaced import say
from berth.volumes.records import Record
from berth.volumes.request import Claim
from berth.volumes.whereabouts import Displaced, Placed

SHARE = "10.0.0.7:/srv/a share"
PV = "pvc-0d1e2f3a-0000-4000-8000-00000000000a"
PLACED = Placed(PV, Claim("ddddd", "data", "u"), "ddddd-data")

NEWER = Record(
    "uid",
    "pvc-newer",
    "a",
    "newer",
    "v",
    "nfs",
    "ddddd-data",
    1,
    "0777",
    "delete",
    "nfs.berth.io",
    "2026-01-31T12:00:00Z",
)


def explained(*lines: str) -> tuple[Finding, ...]:
    explainer = Explainer()
    explainer.read(BytesIO("\n".join(lines).encode()))
    return explainer.explain().report.findings


@pytest.mark.parametrize(
    ("displaced", "failure", "names"),
    [
        (Displaced(PLACED, "trashed", f".berth/trash/{PV}"), "volume-in-trash", {}),
        (Displaced(PLACED, "archived", "archived-ddddd-data"), "volume-archived", {"archive": "archived-ddddd-data"}),
        (Displaced(PLACED, "gone"), "volume-directory-missing", {}),
        (Displaced(PLACED, "taken", by=NEWER), "volume-place-taken", {"other": "pvc-newer", "owner": "a/newer"}),
    ],
)
def test_where_a_directory_is(displaced: Displaced, failure: str, names: dict[str, str]) -> None:
    event = f"ddddd  1s  Warning  VolumeDisplaced  persistentvolumeclaim/data  {say(displaced, SHARE)}"
    (finding,) = explained(event)
    assert finding.id == failure
    assert {"directory": "ddddd-data", "volume": PV, "share": SHARE, **names}.items() <= finding.facts.items()
    assert ("claim", "ddddd/data") in {(each.kind, each.name) for each in finding.about}
    back = f"the directory of PV {PV} is in its place again"
    assert explained(event, f"ddddd  1s  Normal  VolumeReturned  persistentvolumeclaim/data  {back}") == ()


@pytest.mark.parametrize(
    "doubt",
    [
        ".berth/ is missing, though PVs of this cluster lie here; is the right directory exported and mounted?",
        ".berth/clusters/ knows nothing of this cluster, though PVs of this cluster lie here; is the right directory …",
        ".berth/share.json says that this is share a, and it was b before: another one was put in its place",
    ],
)
def test_a_share_that_is_not_what_it_was(doubt: str) -> None:
    (finding,) = explained(f"default  1s  Warning  ShareDoubtful  storageclass/nfs  share {SHARE}: {doubt}")
    assert (finding.id, finding.facts["share"]) == ("share-doubtful", SHARE)
