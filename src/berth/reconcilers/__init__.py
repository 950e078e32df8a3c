"""One decision loop per file: provision, reclaim, expand, purge, sweep.

The only folder that knows both Kubernetes and volumes. objects (with kinds, quantity) translates between them; cluster
and places answer from the caches. A reconciler gets a key and answers an outcome; it never touches its queue.
"""
