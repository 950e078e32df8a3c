"""Checks that explain: what was seen, why it is so, what to type. Nothing here prints, and no check changes anything.

`finding` what is said; `run` checks side by side, each with a deadline; `catalogue/*.yaml` one file per failure, with
all words in it; `entry` such a file, read strictly; `known` all of them, and `find`, which makes a finding; `explain`
texts; `node/` this host as a client; `cluster/` and `share/` what they are called; `listing` all checks there are.

A check for the cluster, whole. Prose, severity and cure are in catalogue/class-no-provisioner.yaml, never in the code:

    async def look(cluster: Cluster) -> AsyncIterator[Finding | Unseen]:
        live = await cluster.live_provisioners()              # raise whatever you like: it becomes an Unseen
        for each in await cluster.classes():
            if each.provisioner not in live:
                near = nearest(each.provisioner, live)        # None where nothing is near: then the fact does not exist
                about, evidence = Subject("class", each.name), [f"provisioner: {each.provisioner}"]
                yield find("class-no-provisioner", about, version=cluster.version, evidence=evidence,
                           provisioner=each.provisioner, nearest=near)

    CHECK = Check("class-provisioner", Text("classes and who serves them", "存储类及其供应器"), look, deadline=8)

Facts (the keywords) are put where the texts and commands of the YAML file say {provisioner}. Every subject is a fact
named by its kind: {class} here; of `ns/name` there are {claim}, {claim_namespace} and {claim_name}. A value may be a
Text, or a sequence of strings. In commands each value is quoted for the shell: write no quotes around {names}. Where
the file gives a list of variants, the first one counts whose `applies` (versions of Kubernetes) holds and whose facts
all exist, those of its first command, too. A command may be a list of alternatives, and is left out if none fits.
catalogue/__init__.py tells what such a file holds. The file of a check that no log message belongs to has no patterns.

The cluster's checks are the tuple `CHECKS` in cluster/checks.py. cluster/examine.py has what the command line calls:
`async examine(about: Subject | None, config: SingleConfig, *, active: bool, progress: Progress | None) -> Report`. If
about is None: the whole cluster; otherwise the claim or pod `ns/name`, or the volume (PV), and what it hangs on.

What one part of a check can't look at: `yield Unseen(Text(…), why_unseen(error))` and go on. Everything that may hang
runs in a process of its own (berth.aio.command), not in a thread: Python waits for threads when it ends.
"""
