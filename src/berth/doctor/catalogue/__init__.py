"""The catalogue: one YAML file per failure, called after its id. Data only; the format is berth.findings.entry's.

After a change here: `python -m berth.doctor.docs_page docs` makes docs/doctor.md and docs/doctor.zh-CN.md anew.

berth.findings has the keys that every entry has. For the doctor in particular:

patterns  regular expressions (one line each) for `explain`, with the exact words of old and new programs; named
          groups are facts, and those called like a kind of object (claim, volume, pod, class, node, server, share, …)
          become the finding's subjects. Each has a literal part of six characters or more, by which lines are chosen.
          Of a variant's parts a text gets those whose facts it says; the entry's own words need no other facts than
          those that every one of its patterns names
prove     {en, zh, commands}: how to make sure that it is this
settled_by patterns of the message that tells of a good end, for the same claim or pod: then it is no finding
versions  the versions of Kubernetes that have it, `>=1.20`; left out: all
yields_to failures that explain it where the same text shows them: then it is left out; ["*"]: any failure
"""
