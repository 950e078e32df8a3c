"""How fast Berth is, against a real control plane and a real NFS server: `make bench`, or `python -m benchmarks`.

One file per part (raw, provision, release, start, purge), each a function that measures and answers samples by their
key. figures is the table of what is measured, what it must reach, and what the reference does; results and report make
the table on the terminal and build/bench.json of it. rig is the stage: the cluster, and controllers as processes of
their own with their own ServiceAccount. Nothing in `src/` knows of this folder.
"""
