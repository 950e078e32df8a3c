"""The cluster's objects beyond volumes, read once for all who ask: what a workload's containers are told, and which of
them provision under which names. Pure: nothing here asks the API server.
"""
