"""An enforcer of NetworkPolicy of the test cluster's own, for tests: the usual ones can't be had everywhere (see the cluster's README).

It reads pods, namespaces and policies, and writes nftables rules on the node. What it refuses it rejects as administratively prohibited,
so that a test sees at once, and apart from a port where nobody listens, that a policy was in the way: most others drop in silence.
"""
