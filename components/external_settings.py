"""Settings of a cache that others run (Upstash, ElastiCache, one's own), and the checks of what names a server outside the stack."""

import ipaddress
import re
from typing import Annotated, NotRequired

from typing_extensions import TypedDict

from components import setting_values as values
from components.setting_declared import declared
from components.setting_values import Refused, Setting


def host_name(text: str) -> str:
    """Check the host of a server outside the stack: a DNS name or an address, without scheme and port."""
    fix = 'give its name or address, as in "eu1-fit-cat-12345.upstash.io"; no port, no scheme'
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        names = text.split(".")
        named = all(re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?", name, re.ASCII) for name in names)
        if not named or len(text) > 253 or names[-1].isdigit():
            # A whole URL is what their pages offer to copy, and a password stands in it.
            raise Refused("it is not the name or the address of a host", fix, hidden=bool(re.search("[@/]", text))) from None
        return text
    if address.is_unspecified or address.is_multicast or getattr(address, "scope_id", None):
        raise Refused("no server can be reached at such an address", fix)
    return text


def cache_user(text: str) -> str:
    """Check the name of a user of a cache (ACL); such that a URL needs no encoding for it."""
    if not re.fullmatch(r"[A-Za-z0-9._~-]{1,128}", text, re.ASCII):
        raise Refused("it is not the name of a user that the cache can have", 'use letters, digits and "._~-", as in "default"')
    return text


@declared
class ExternalCacheSettings(TypedDict):
    """A cache that others run, for `engine: external`; the password is `cachePassword`."""

    host: NotRequired[Annotated[str, Setting(check=host_name)]]
    """Its name or address, as in "eu1-fit-cat-12345.upstash.io"."""
    port: NotRequired[Annotated[int, Setting(default=6379, minimum=1, maximum=65535)]]
    """Its port."""
    user: NotRequired[Annotated[str, Setting(check=cache_user)]]
    """User to log in as (ACL). Unset: the server's default user."""
    anonymous: NotRequired[Annotated[bool, Setting(default=False)]]
    """Whether it asks for no password, as ElastiCache does unless told to."""
    tls: NotRequired[Annotated[bool, Setting(default=True)]]
    """Whether connections are encrypted: REDIS_URL is `rediss://` then, and what connects verifies the certificate."""
    caCertificate: NotRequired[Annotated[str, Setting(check=values.file_path)]]
    """PEM file of the authority that signed its certificate. Unset: the authorities that the machine trusts."""
