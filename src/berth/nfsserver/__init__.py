"""The host side of an NFS server: what `/etc/exports` says, what is live, what is wrong with it, and setting it all up.

exports/: the exports(5) files and the live table: read, compared and changed; what the host has at those paths.
lint/: what is wrong with the exports, as findings. Pure rules, one function each.
setup/: from a bare host to an exported directory: packages, services, the plan and doing it; what the host serves now.
lint and setup know exports, and not each other; all three speak with errors and texts.
Runs on the NFS host only; it knows neither Kubernetes nor shares.
"""
