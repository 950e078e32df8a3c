"""Berth's image: read from the archive that a release has, pushed to a registry by its HTTP API together with the
chart, imported by what runs containers on this machine. It has never heard of Kubernetes' objects.
"""
