"""This host as an NFS client: can it mount, do its mounts answer, do they lose data. Nothing here can hang on a mount:
whatever touches one is a process of its own that is killed at its deadline.

`host` what is read of the host; `answers` whether a mount answers; `client`, `mounts`, `names`,
`processes` the checks; `checks` all of them, and `examine`, which runs them.
"""
