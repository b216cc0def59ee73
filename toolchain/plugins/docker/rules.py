"""Rules for single values of the docker resources. The messages never repeat the value."""

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any

from toolchain.plugins.common.values import has_unknown

from .durations import parse_duration
from .fields import Rule


def one_of(*choices: str) -> Rule:
    """Only these values."""
    return lambda value: None if value in choices else "must be one of " + ", ".join(map(repr, choices))


def at_least(floor: int) -> Rule:
    """A whole number not below `floor`."""
    return lambda value: None if value >= floor else f"must be {floor} or more"


def port(value: int) -> str | None:
    """A TCP or UDP port; 0 leaves the choice to Docker."""
    return None if 0 <= value <= 65535 else "must be a port from 0 to 65535"


def duration(value: str) -> str | None:
    """A duration as Go writes it."""
    try:
        parse_duration(value)
    except ValueError:
        return "must be a duration like 500ms, 10s or 1m30s"
    return None


def cpu_set(value: str) -> str | None:
    """A list or range of CPUs (terraform-provider-docker, resource_docker_container.go: cpu_set)."""
    return None if re.fullmatch(r"\d+([,-]\d+)*", value) else "must list CPUs like 0-1 or 0,2"


def cpus(value: str) -> str | None:
    """A number of CPUs such as 1.5."""
    return None if re.fullmatch(r"\d+(\.\d{1,9})?", value) else 'must be a number of CPUs like "0.5" or "2"'


def octal_mode(value: str) -> str | None:
    """File permissions such as 0640."""
    return None if re.fullmatch(r"0?[0-7]{3,4}", value) else 'must be an octal file mode like "0640"'


def base64_text(value: str) -> str | None:
    """Base64 with the standard alphabet."""
    try:
        base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return "must be base64"
    return None


def absolute_path(value: str) -> str | None:
    """A path on the host (terraform-provider-docker, validators.go: validateDockerContainerPath)."""
    return None if value.startswith("/") or re.match(r"[a-zA-Z]:[\\/]", value) else "must be an absolute path"


def not_empty(value: str) -> str | None:
    """Some text."""
    return None if value else "must not be empty"


def container(inputs: Mapping[str, Any]) -> list[str]:
    """Rules between a container's values."""
    problems = []
    for index, upload in enumerate(_known_items(inputs, "uploads")):
        given = [key for key in ("content", "contentBase64", "source") if upload.get(key) not in (None, "")]
        if len(given) > 1:
            problems.append(f"uploads[{index}] has {' and '.join(given)}; give only one of content, contentBase64, source")
        elif not given and not has_unknown(upload):
            # terraform-provider-docker, resource_docker_container_funcs.go: empty content counts as none.
            problems.append(f"uploads[{index}] has no content; give one of content, contentBase64, source")
    for index, volume in enumerate(_known_items(inputs, "volumes")):
        if not volume.get("containerPath"):
            problems.append(f"volumes[{index}] has no containerPath")
    return problems


def _known_items(inputs: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    items = inputs.get(key)
    return [item if isinstance(item, Mapping) else {} for item in items] if isinstance(items, list) else []
