"""Ways to touch a share: `mounted` (a directory mounted here) and `direct` (NFS spoken by Berth itself, no mount).

`choose` hands out the right one for an address; nobody outside needs more of this package. Both keep the contract of
volumes/share.py, which tests/conformance checks; `observed` and `circuit_breaker` go around any of them. Nothing here
knows of Kubernetes.
"""
