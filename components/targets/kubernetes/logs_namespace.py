"""The name of the namespace of what reads the logs of all pods. Imports nothing: the toolchain asks for it without Pulumi's SDK."""


def logs_namespace(namespace: str) -> str:
    """Its name beside a stack's own one; at most 63 characters, as names of namespaces are."""
    return f"{namespace[:58].rstrip('-')}-logs"
