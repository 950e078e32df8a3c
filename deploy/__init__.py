"""What Berth is installed with: a Helm chart, a kustomize base, an extension of KubeSphere, a Grafana dashboard.

What `berth install` knows better is generated from it: `python3 -m deploy` writes those files, a test compares them.
"""
