"""The host side of an NFS server: what `/etc/exports` says, what is live, what is wrong with it, and setting it all up.

Pure: words, flags, options, clients, exports (the exports(5) parser), edit, lineup, table (etab), the rules of lint,
wanted, init (the plan). Asking the host: places, spelling, survey, machine, status. Touching it: exportfs (typed
verbs), change (the one way to write berth.exports), perform (a plan's steps).
For callers: lint, exporting, status, perform.
Runs on the NFS host only; it knows neither Kubernetes nor shares.
"""
