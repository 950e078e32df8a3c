"""A host made into an NFS server, and exports added and removed: decided first, done step by step."""
