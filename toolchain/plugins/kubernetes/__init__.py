"""A stand-in for the official Pulumi kubernetes plugin, for machines where that can't be downloaded.

It follows pulumi-kubernetes 4.34.2 (pulumi/pulumi-kubernetes, provider/pkg) for the kinds in `kinds.py` and for custom resources. A
kind, a setting or a feature that it does not know is refused by name. Where it goes another way, the place says so.
"""
