"""Which web pages are the stack's own."""

from typing import Final
from urllib.parse import urlsplit

from components.services.context import Context

LOCAL_ORIGIN: Final = r"https?://(localhost|127\.0\.0\.1|\[::1\])(:[0-9]+)?"
"""Origins of pages that this machine serves, as a regular expression for the whole."""


def own_origins(context: Context) -> tuple[str, ...]:
    """Origins of the API's and Studio's URLs, as browsers send them."""
    return tuple(sorted({_origin(context.urls.api), _origin(context.urls.studio)}))


def _origin(url: str) -> str:
    # No path, and no port where it is the scheme's own (RFC 6454, 6.1).
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}" + (
        f":{parts.port}" if parts.port not in (None, {"http": 80, "https": 443}[parts.scheme]) else ""
    )
