"""A server that takes Kerberos tickets only, and one at an IPv6 address, as the real kernel and mount.nfs have them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from berth.volumes.server_name import bracketed
from devcluster.kernel import run_in_kernel

pytestmark = pytest.mark.slow

SCRIPT = """
. tests/kernel/guest/start.sh
mkdir -p /srv/xfs/tickets /mnt/tried
exportfs -o rw,no_subtree_check,insecure,no_root_squash,sec=krb5:krb5p '*:/tickets'
set +e
ip -6 addr add ::1/128 dev lo 2> /dev/null
"$BERTH" server verify 127.0.0.1:/tickets -o json > "$OUT/verify.json" 2>&1
while IFS= read -r tried; do
    said=$(timeout 20 mount -t nfs -o nfsvers=4.2$tried /mnt/tried 2>&1)
    echo "$?|$said" >> "$OUT/mounts"
    umount /mnt/tried 2> /dev/null
done <<< "$TRIED"
"""
SERVER = "::1"
TRIED = (f" {bracketed(SERVER)}:/free", f" {SERVER}:/free", ",proto=tcp [::1]:/free", ",proto=tcp6 [::1]:/free")


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the guest wrote."""
    out_dir: Path = tmp_path_factory.mktemp("guest")
    berth = str(Path(sys.executable).parent / "berth")
    run_in_kernel(SCRIPT, out_dir=out_dir, deadline=200, env={"BERTH": berth, "TRIED": "\n".join(TRIED)}).check()
    return out_dir


def test_an_export_for_tickets_only_is_told_over_both_versions(out: Path) -> None:
    told = (out / "verify.json").read_text()
    found: dict[str, Any] = {one["id"]: one for one in json.loads(told)["probes"]}
    for probe, status in (("mount-3", "sec=krb5:krb5p"), ("mount-4.0", "NFS4ERR_WRONGSEC")):
        assert status in json.dumps(found[probe]), told
        assert "--provisioner 127.0.0.1 --option sec=sys" in json.dumps(found[probe])


def test_an_ipv6_server_is_mounted_by_what_stands_on_the_pv_and_by_nothing_shorter(out: Path) -> None:
    brackets, bare, tcp, tcp6 = (line.split("|", 1) for line in (out / "mounts").read_text().splitlines())
    assert (brackets[0], tcp6[0]) == ("0", "0")
    assert bare[0] != "0"
    assert "Failed to resolve server : " in bare[1]  # explained by server-ipv6-bare
    assert tcp[0] != "0"  # refused at birth
    assert "Address family for hostname not supported" in tcp[1]
