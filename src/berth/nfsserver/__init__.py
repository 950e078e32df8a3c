"""The host side of an NFS server: what `/etc/exports` says, what is live, what is wrong with it, and setting it all up.

Pure: words, options, clients, exports (the exports(5) parser), edit, table (etab), lint and its rules, packages, init's
plan. Touching the host: places, exportfs (typed verbs over the tool), change (the one way to write berth.exports),
survey, status, and init's apply. Runs as root on the NFS host only; it knows neither Kubernetes nor shares.
"""
