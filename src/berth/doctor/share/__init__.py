"""Probes of one share from the client's side: over the network, without a mount and without rights of its own.

verify runs them all and answers a Report; probed holds what one result is, findings.yaml what can be wrong.
reach, mounts, work and measure look at the network, the mount protocols and the exported directory (in a scratch
directory, which is removed again); judge says what the answers mean together; node looks at this host as a node.
Behind `berth server verify` and `berth doctor share`.
"""
