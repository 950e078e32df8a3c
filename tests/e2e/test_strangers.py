"""What people without rights over the cluster can make a controller keep, write and post: a bounded amount of it.

They own claims: their names, annotations, and how often they change. The rest of the cluster is served meanwhile.
"""

from __future__ import annotations

import json
from pathlib import Path

from tests.e2e.site import Site
from tests.e2e.waiting import until

HUGE = 250_000
CLAIMS = 40
PATCHES = 300


def memory(pid: int) -> int:
    """Bytes that a process has in memory."""
    (line,) = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1]) * 1024


def test_claims_with_huge_annotations_that_change_all_the_time(site: Site) -> None:
    controller = site.controller().start()
    pattern = site.make_class(site.parameters(pathPattern="x/${.PVC.annotations.where}", onDelete="delete"))
    good = site.make_class()
    site.serve("before", good)
    before = memory(controller.process.pid)
    for number in range(CLAIMS):
        site.file_claim(f"huge-{number}", pattern, annotations={"where": f"{number}" + "a/" * (HUGE // 2)})
    link = site.root / "x" / "link"
    link.parent.mkdir()
    link.symlink_to("/")
    site.foreign.add("x")
    site.file_claim("restless", pattern, annotations={"where": "link/0"})
    for number in range(CLAIMS):
        site.wait_event(f"huge-{number}", "ProvisioningFailed", having="1024 bytes")
    for number in range(PATCHES):
        site.patch_claim("restless", metadata={"annotations": {"where": f"link/{number}/data"}})
        if number == PATCHES // 2:
            site.serve("meanwhile", good)
    # What is refused for the last time is told, whatever was told before.
    site.patch_claim("restless", metadata={"annotations": {"where": "../elsewhere"}})
    site.wait_event("restless", "ProvisioningFailed", having="leads elsewhere")
    # And so is what goes well in the end.
    site.patch_claim("restless", metadata={"annotations": {"where": "served"}})
    pv = site.wait_bound("restless")
    site.wait_event("restless", "ProvisioningSucceeded")
    assert site.path_of(pv) == "x/served"
    events = site.events("restless")
    assert len(events) <= 15, [event["message"] for event in events]
    every = [event for number in range(CLAIMS) for event in site.events(f"huge-{number}")] + events
    assert max(len(event["message"].encode()) for event in every) <= 1024

    lines = controller.log.splitlines()
    assert max(len(line.encode()) for line in lines) < 8_000
    about = [json.loads(line) for line in lines if f"{site.namespace}/restless" in line]
    assert len([line for line in about if line.get("event") == "gave up until it changes"]) < 40
    _, metrics = controller.fetch("/metrics")
    fields = {line.partition("}")[0] for line in metrics.splitlines() if line.startswith("berth_claims_refused_total{")}
    assert len(fields) <= 3, fields
    assert max(map(len, metrics.splitlines())) < 1_000
    # 10 MB of annotations came by; what stays is a small part of it, however they are counted.
    until("what came by is let go", lambda: memory(controller.process.pid) < before + 25_000_000)
    site.delete_class(pattern)
    until(
        "the class leaves no series", lambda: controller.metric("berth_claims_refused_total", **{"class": pattern}) == 0
    )
