"""Control-loop machinery on lightkube: watching, queueing, retrying, electing, reporting. Has never heard of volumes.

A program gives an Informer the kinds to watch, lets its handlers put keys on a WorkQueue, and runs a Loop that hands
each key to a reconciler and turns the answer (outcome) into retry, Event, metric and log line.
"""
