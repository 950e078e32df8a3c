"""The host side of an NFS server: what `/etc/exports` says, what is live, what is wrong with it, and setting it all up.

`exports/` reads and changes what is exported: the files (lexer, parse, edit), Berth's own one (change, client_order)
and the live table. `lint/` has rules over that and over the host (facts, which survey asks for). `setup/` decides and
does what makes a host an NFS server (plan, init, perform), and adds and removes exports (exporting).
Runs on the NFS host only; it knows neither Kubernetes nor shares.
"""
