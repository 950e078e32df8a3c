"""Settings -> Kubernetes objects -> YAML. No I/O: callers print what comes out, or apply it."""
