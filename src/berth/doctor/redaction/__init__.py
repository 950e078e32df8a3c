"""`--redact`: what the doctor tells, with stand-ins for the names, paths and addresses of whoever asks for help.

A name is replaced wherever it is known to be one: the facts of findings are, and the sentences and commands are made
anew of them. Of free text, as log lines and errors of others are, every word is replaced that is none of ours: what
this project's own texts use, and ordinary words. So a name that nobody recognised does not leak; it costs a word.

The same name has the same stand-in in one run, and its form: `namespace-1/claim-2`, `192.0.2.1`, `host-1.example`,
`/dir-1/dir-2`, `pvc-00000000-0000-4000-8000-000000000001`. Words of Kubernetes itself stay (`kube-system`), and so do
the names that known provisioners have everywhere.

`words` knows which are ours, `places` stands in for addresses and paths, `stand_ins` for names and in texts, `reports`
does it to findings and reports.
"""
