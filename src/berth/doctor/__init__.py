"""Checks that explain: what was seen, why it is so, what to type. Nothing here prints, and no check changes anything.

`run` runs checks side by side, each with a deadline; `catalogue/*.yaml` holds one file per failure, with all its words;
`known` has them all, and `find`, which makes a finding (berth.findings says how); `explain` reads texts; `node/` looks
at this host as a client, `cluster/` and `share/` at what they are called; `listing` names all checks there are.

A check for the cluster, whole. Prose, severity and cure are in catalogue/class-no-provisioner.yaml, never in the code:

    async def look(cluster: ClusterInReach) -> AsyncIterator[Finding | Unseen]:
        live = await cluster.live_provisioners()              # raise whatever you like: it becomes an Unseen
        for each in await cluster.classes():
            if each.provisioner not in live:
                near = nearest(each.provisioner, live)        # None: nothing is near
                about, evidence = Subject("class", each.name), [f"provisioner: {each.provisioner}"]
                yield find("class-no-provisioner", about, variant={"near": near is not None}, evidence=evidence,
                           provisioner=each.provisioner, nearest=near)

    CHECK = Check("class-provisioner", Text("classes and who serves them", "StorageClass 及其制备器"), look, deadline=8)

berth.findings says what facts and variants are, and catalogue/__init__.py what a file holds beside them. The file of a
check that no log message belongs to has no patterns.

The cluster's checks are the tuple `CHECKS` in cluster/checks.py. cluster/examine.py has what the command line calls:
`async examine(about: Subject | None, config: SingleConfig, *, active: bool, progress: Progress | None) -> Report`. If
about is None: the whole cluster; otherwise the claim or pod `ns/name`, or the volume (PV), and what it hangs on.

What one part of a check can't look at: `yield Unseen(Text(…), why_unseen(error))` and go on. Everything that may hang
runs in a process of its own (berth.aio.command), not in a thread: Python waits for threads when it ends.
"""
