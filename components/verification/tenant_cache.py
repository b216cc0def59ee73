"""A tenant's own cache as an endpoint that is asked."""

from typing import Any

from components import cache_address
from components.endpoints import Endpoint


def endpoint(url: str, what: str, setting: str, fix: str) -> dict[str, Any]:
    """The endpoint of a cache that one URL names.

    Host and port are told as those of all endpoints are, or nobody would know whom to look after. The URL was checked to be such that no
    piece of its password is taken for them.

    Args:
        url: The address, checked (`components.cache_address`).
        what: Its name for people.
        setting: The setting that holds the URL.
        fix: The command that sets it.
    """
    at = cache_address.parse(url)
    return {
        "kind": "cache",
        "what": what,
        "at": str(Endpoint(at.host, at.port)),
        "setting": setting,
        "host": at.host,
        "port": at.port,
        "user": at.user,
        "user_setting": setting,
        "password": at.password,
        "password_setting": setting,
        "password_fix": fix,
        "anonymous_fix": f"give the whole address anew, with it: {fix}",
        "number": at.number or None,
        "tls": at.tls,
        "tls_fix": "write rediss:// where it speaks TLS",
        "ca": None,
    }
