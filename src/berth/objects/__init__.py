"""The cluster's objects, typed once for all who ask: how they are read and cached, what they mean to the rules, which
containers provision under which names, and whose word counts. Only `listing` asks the API server.
"""
