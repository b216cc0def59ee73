"""A real one-node Kubernetes cluster of our own, for tests and for machines that have none. See README.md in this folder."""

from toolchain.cluster.cluster import Cluster, down, find, up

__all__ = ["Cluster", "down", "find", "up"]
