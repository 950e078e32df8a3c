"""A real node for the dev cluster: kube-scheduler, containerd and kubelet, so that pods run and are looked after.

node.Node is all that others need; cluster.DevCluster.start_node makes one. A node lives in a room of its own (room.sh):
its mounts, its network and its control groups are seen by nobody else, several nodes stand side by side, and all of a
node goes when its room does. `images` makes the two small images that every node has.
"""
