"""Completes one group of settings, for components: they can be used without a whole stack's settings."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pulumi

from components.config_values import with_defaults
from components.service import Service
from components.setting_schema import fields, key_text, validate


def complete(group: str, given: Mapping[str, Any] | None) -> dict[str, Any]:
    """The group with its defaults, checked: sizes in bytes, choices as their Enum.

    Raises:
        pulumi.InputPropertyError: names the first setting that is wrong.
    """
    values, problems = validate({group: with_defaults(fields()[group], dict(given or {}))})
    for problem in problems:
        path = key_text("", problem.path[1:]).lstrip(":")
        raise pulumi.InputPropertyError(f"settings.{path}", f"{problem.reason}; {problem.fix}")
    done: dict[str, Any] = values[group]
    return done


def off(service: Service) -> Service:
    """The service turned off: its volumes alone."""
    return replace(service, off=True, env={}, files=(), ports=(), provides={}, mounts=(), folders=(), connects=(), health=None)


def mib(size: int) -> int:
    """Bytes in MiB, rounded up: the unit of memory limits."""
    return -(-size // 2**20)


# PostgreSQL's own name by ours; sizes are handed over in kB.
_SIZES = {
    "sharedBuffers": "shared_buffers",
    "effectiveCacheSize": "effective_cache_size",
    "workMem": "work_mem",
    "maintenanceWorkMem": "maintenance_work_mem",
    "maxWalSize": "max_wal_size",
}


def parameters(database: Mapping[str, Any]) -> dict[str, str]:
    """PostgreSQL's parameters of a completed `database` group, as its command line takes them."""
    found = {theirs: f"{database[ours] // 1024}kB" for ours, theirs in _SIZES.items() if ours in database}
    found["max_connections"] = str(database["maxConnections"])
    found["log_min_messages"] = database["logMinMessages"].value
    if "statementTimeout" in database:
        found["statement_timeout"] = database["statementTimeout"]
    return found
