"""The address of a cache as one URL, `redis://` or `rediss://` (IANA's provisional registration of the schemes). Pure.

The whole URL is a secret: nothing here shows a piece of it.
"""

import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote, urlsplit

from components.setting_values import Refused

PORT: Final = 6379
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
_FIX: Final = (
    'give it whole, as in "rediss://default:<password>@<host>:6379"; what is not a letter, a digit or one of "._~-" in the password is '
    "percent-encoded"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class CacheAddress:
    """Where a cache is, and how it is logged in at.

    Attributes:
        user: None: the server's default one.
        password: None: it asks for none.
        number: Of the database in it.
        tls: Whether connections are encrypted.
    """

    host: str
    port: int
    user: str | None
    password: str | None = field(repr=False)
    number: int
    tls: bool

    @property
    def open(self) -> bool:
        """Whether what is sent there can be read on its way: it is not encrypted, and leaves the machine."""
        return not self.tls and not is_loopback(self.host)


def is_loopback(host: str) -> bool:
    """Whether a host is the machine itself by its very name."""
    return host in _LOOPBACK


def parse(url: str) -> CacheAddress:
    """The address in a URL.

    Raises:
        Refused: it is none, or a sign in its password stands for itself that ends a part of a URL: then a piece of the password
            would be taken for the host.
    """
    try:
        found = _parsed(url)
    except ValueError:
        found = None
    if found is None:
        raise Refused("it is not the address of a cache", _FIX, hidden=True)
    return found


def _parsed(url: str) -> CacheAddress | None:
    if not url.startswith(("redis://", "rediss://")) or not url.isprintable() or " " in url:
        return None
    parts = urlsplit(url)
    port = PORT if parts.port is None else parts.port
    user, password = unquote(parts.username or "") or None, unquote(parts.password or "") or None
    if not parts.hostname or not port or "@" in parts.path + parts.query + parts.fragment or (user and not password):
        return None
    number = int(parts.path[1:]) if re.fullmatch(r"/\d{1,4}", parts.path, re.ASCII) else 0
    return CacheAddress(host=parts.hostname, port=port, user=user, password=password, number=number, tls=parts.scheme == "rediss")
