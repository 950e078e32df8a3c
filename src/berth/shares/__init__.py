"""Ways to touch a share: mounted (a directory mounted here) and direct (NFS spoken by libnfs, no mount). choose picks one."""
