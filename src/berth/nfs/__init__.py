"""NFS and RPC as a library: versions 3 and 4.0 on an asyncio event loop, without a mount and without a kernel client.

It knows nothing of volumes. `xdr` and `rpc` are the wire; `v3` (with MOUNT and the portmapper) and `v4` (with its
operations in `v4_compound`) are the two versions, each with a Session that keeps the contract in `session`; what a
server answers is named in `session`, too. `resolve` looks names up, `servers` tells which of them are one server.
"""
