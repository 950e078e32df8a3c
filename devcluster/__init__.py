"""A real Kubernetes control plane and a real NFS server on this machine, for the demo, tests and benchmarks.

cluster.DevCluster starts etcd, kube-apiserver, kube-controller-manager and an NFS server below one temporary
directory, and a node where pods run if asked to (node/); ganesha.GaneshaServer is the NFS server alone;
kernel.run_in_kernel runs a script in a real Linux kernel with NFS, XFS and quotas. `python3 -m devcluster
up|down|status` is the same by hand. Nothing here is part of what Berth installs, and nothing in `src/` knows
of it. Standard library only, so that it also runs before the virtual environment exists.
"""
