"""Whether image registries can be reached: asked once, when a stack is made."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from toolchain.setup import reach


def unreachable(hosts: Iterable[str]) -> list[str]:
    """Those of the registries (`registry-1.docker.io`) that do not answer as one within 3 seconds, all asked at once.

    200 and 401 are the answers to `GET /v2/` that the OCI distribution specification has for a registry.
    """
    wanted = sorted(set(hosts))
    if not wanted:
        return []
    with ThreadPoolExecutor(max_workers=len(wanted)) as pool:
        up = list(pool.map(lambda host: reach.answers(f"https://{host}/v2/", (200, 401), method="GET"), wanted))
    return [host for host, reached in zip(wanted, up, strict=True) if not reached]
