"""Settings -> Kubernetes objects -> YAML. No I/O: callers print what comes out, or apply it.

`install.install_manifests` makes everything; the files beside it make one part each. The rights in it come from the
tables that the code declares, which the caller passes in.
"""
