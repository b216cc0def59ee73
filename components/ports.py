"""The port plan: which host port each published part of a stack gets.

Pure: nothing here looks at the machine. Whether a port is free is asked by the checks before a deployment.
"""

import hashlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

BASE: Final[Mapping[str, int]] = MappingProxyType(
    {
        "app": 3025,
        "api": 54321,
        "postgres": 54322,
        "studio": 54323,
        "mailWeb": 54324,
        "smtp": 54325,
        "pop3": 54326,
        "analytics": 54327,
        "poolerSession": 54328,
        "poolerTransaction": 54329,
        "apiHttps": 54330,
        "cache": 6379,
        "objectStore": 9000,
        "objectStoreConsole": 9001,
        "plainPostgres": 5432,
        "pgbouncer": 6543,
        "redisCommander": 8081,
        "backend": 3026,
        "shadow": 54320,
    }
)
"""Ports of instance 1 by name, as the settings spell it. `auto` goes by the order: add new names at the end."""

STEP: Final = 1000
"""What each further instance adds."""

LAST_INSTANCE: Final = 12
"""The last instance whose ports all fit below 65536."""

AUTO_FIRST: Final = 20100
"""First port of the range that `auto` takes from. No planned instance reaches into it."""

AUTO_LAST: Final = 29999
"""Last port of that range."""

AUTO_BLOCK: Final = 20
"""Ports a stack holds in that range: all names in one run, and room for a few more, so that a new name moves no port."""


def plan(
    instance: int = 1,
    auto: tuple[str, str] | None = None,
    overrides: Mapping[str, int] | None = None,
    others: Mapping[str, int] | None = None,
) -> Mapping[str, int]:
    """Return the port of every name.

    `instance`: 1 to 12; it adds (instance - 1) * 1000. Not looked at with `auto`.
    `auto`: (project, stack) asks for a stable block between 20100 and 29999 instead.
    `overrides`: ports by name that win over either.
    `others`: ports of instance 1 by name, in place of the usual ones.

    Two stacks can get the same `auto` block (there are 495); the check for taken ports then says so.

    Raises ValueError for an instance outside the plan or an unknown name.
    """
    if auto is not None:
        first = auto_first(*auto)
        ports = {name: first + offset for offset, name in enumerate(BASE)}
    else:
        if not 1 <= instance <= LAST_INSTANCE:
            raise ValueError(f"instance {instance} has no planned ports: 1 to {LAST_INSTANCE} have")
        ports = {name: port + (instance - 1) * STEP for name, port in {**BASE, **(others or {})}.items()}
    for name, port in (overrides or {}).items():
        if name not in ports:
            raise ValueError(f"{name!r} is not the name of a port: {', '.join(BASE)}")
        ports[name] = port
    return MappingProxyType(ports)


def auto_first(project: str, stack: str) -> int:
    """Return the first port of the block that this stack of this project always gets."""
    # NUL can stand in neither name, so ("a", "bc") and ("ab", "c") differ.
    digest = hashlib.sha256(f"{project}\0{stack}".encode()).digest()
    blocks = (AUTO_LAST - AUTO_FIRST + 1) // AUTO_BLOCK
    return AUTO_FIRST + int.from_bytes(digest[:8], "big") % blocks * AUTO_BLOCK


def clashes(ports: Mapping[str, int]) -> list[tuple[int, list[str]]]:
    """Return each port that more than one name holds, with those names, both sorted."""
    holders: dict[int, list[str]] = {}
    for name, port in sorted(ports.items()):
        holders.setdefault(port, []).append(name)
    return [(port, names) for port, names in sorted(holders.items()) if len(names) > 1]
