"""The rules of volumes: what a claim may ask for, where its directory goes, and what becomes of it at the end.

Standard library only, and no Kubernetes: callers hand in a VolumeRequest or a ReleaseRequest and a Share. Deciding
(parameters, naming, plan, release) is pure; doing (lifecycle, records) goes through the Share protocol alone.
"""
