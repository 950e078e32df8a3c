"""The catalogue: one YAML file per failure, called after its id. Data only; berth.findings.entry reads it strictly.

After a change here: `python -m berth.doctor.document docs` makes docs/doctor.md and docs/doctor.zh-CN.md anew.

id        kebab case, never changed once released
severity  failure | warning | note
harm      data | everyone | one | comfort
title     {en, zh}: the failure's name, for lists
patterns  regular expressions (one line each) for `explain`, with the exact words of old and new programs; named
          groups are facts, and those called like a kind of object (claim, volume, pod, class, node, server, share, …)
          become the finding's subjects. Each has a literal part of six characters or more, by which lines are chosen
seen      {en, zh}, or a list of such variants, each with `applies` if it is for some versions only: what is the matter
why       the same: the cause
cure      a variant or a list of them, each with `commands` (exact, in order) beside en and zh
prove     {en, zh, commands}: how to make sure that it is this
settled_by patterns of the message that tells of a good end, for the same claim or pod: then it is no finding
versions  the versions of Kubernetes that have it, `>=1.20`; left out: all
yields_to failures that explain it where the same text shows them: then it is left out; ["*"]: any failure
sources   owner/repository#number, or an address
"""
