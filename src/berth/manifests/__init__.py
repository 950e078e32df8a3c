"""Settings -> Kubernetes objects -> YAML. No I/O: callers print what comes out, or apply it.

`install.install_manifests` makes everything; the files beside it make one part each. Which programs there
are, and what each may do, their own code declares (workload.Workload), and the caller passes in.
"""
