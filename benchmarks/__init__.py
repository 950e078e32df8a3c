"""How fast Berth is, against a real control plane and a real NFS server: `make bench`, or `python -m benchmarks`.

`parts` is the table of what runs, each part a function that measures and adds samples by their key. `figures` is the
table of what is measured and what it must reach; `results` and `report` make build/bench.json and the tables on the
terminal of it, `history` the line of a release and the picture. `rig` is the stage: the cluster, and controllers as
processes of their own with their own ServiceAccount. `calibration` makes CPU time comparable between machines, `busy`
tells what others did meanwhile. Nothing in `src/` knows of this folder.
"""
