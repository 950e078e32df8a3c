"""From a bare host to an NFS server.

packages, services: what a server takes, and the commands for it. machine: what this host has of that.
init, plan: what is left to do, decided before anything is touched. perform, walk: doing it. status: what is served now.
"""
