"""The cluster, looked at once and judged by pure functions.

`kinds` and `admission` are the objects, with the fields that are read; `reading` reads them all side by side into a
`snapshot`; `provisioners` tells from it who provisions and who of them answers. The other files are the judgements,
one topic each: a Snapshot in, findings out, and no I/O (only `directories_there` asks NFS servers). `checks` lists
them, `examine` is what the command line calls, `chain` keeps what concerns one object, `folding` makes one of many
alike, `active` tries it.
"""
