"""Inputs in the form in which the API server gives them back, so that what means the same is no difference.

The official plugin turns inputs of built-in kinds into Go's types and back (provider.go, normalizeInputs; clients/unstructured.go,
Normalize). Without those types, this does what of it shows: a Secret's stringData, amounts, zero values that the server leaves out,
and metadata that only the server sets.
"""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from toolchain.plugins.common.values import UNKNOWN, has_unknown

from .kinds import is_built_in, is_secret
from .objects import Object
from .quantity import canonical

_READ_ONLY_METADATA = (
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "uid",
)

_AMOUNT_MAPS = frozenset({"requests", "limits", "hard", "overhead", "capacity"})
_AMOUNTS = frozenset({"sizeLimit", "divisor", "averageValue"})

_FREE_MAPS = frozenset(
    {"annotations", "binaryData", "data", "labels", "matchLabels", "nodeSelector", "parameters", "selector", "stringData"}
)
"""Maps whose keys are the program's own, or a selector's."""

_LEFT_OUT_AS_ZERO = frozenset(
    {
        "clusterIP",
        "externalName",
        "hostIPC",
        "hostNetwork",
        "hostPID",
        "hostname",
        "initialDelaySeconds",
        "loadBalancerIP",
        "medium",
        "minReadySeconds",
        "nodeName",
        "nodePort",
        "paused",
        "priorityClassName",
        "publishNotReadyAddresses",
        "readOnly",
        "stdin",
        "stdinOnce",
        "subPath",
        "subPathExpr",
        "subdomain",
        "tty",
        "value",
        "workingDir",
    }
)
"""Fields of Kubernetes' types that are no pointers and `omitempty`: their zero is the same as nothing (k8s.io/api, core/v1/types.go).

Of others, such as automountServiceAccountToken, false is not the same as nothing.
"""


def normalize(item: Mapping[str, Any]) -> Object:
    """The object in canonical form. One that holds unknown values only loses its read-only metadata."""
    found = dict(item)
    if is_built_in(found) and not has_unknown(found):
        found = _secret(found) if is_secret(found) else {**found, **_canonical(_without(found, "metadata"))}
    metadata = found.get("metadata")
    if isinstance(metadata, Mapping):
        found["metadata"] = {key: value for key, value in metadata.items() if key not in _READ_ONLY_METADATA}
    return found


def _without(values: Mapping[str, Any], key: str) -> Object:
    return {name: value for name, value in values.items() if name != key}


def _secret(item: Object) -> Object:
    """What is in stringData goes into data, over what is there."""
    data = {key: _reencoded(value) for key, value in (item.get("data") or {}).items()}
    plain = item.get("stringData") or {}
    data.update({key: base64.b64encode(str(value).encode()).decode() for key, value in plain.items()})
    found = {key: value for key, value in item.items() if key not in {"data", "stringData"}}
    return {**found, "data": data} if data or "data" in item else found


def _reencoded(value: Any) -> Any:
    """Base64 without line breaks; what is none stays, and the API server refuses it."""
    try:
        return base64.b64encode(base64.b64decode(str(value), validate=False)).decode() if "\n" in str(value) else value
    except binascii.Error:
        return value


def _canonical(value: Any, key: str = "", parent: str = "") -> Any:
    if key in _FREE_MAPS:
        return value
    if isinstance(value, Mapping):
        if key in _AMOUNT_MAPS and all(not isinstance(item, Mapping | list) for item in value.values()):
            return {name: canonical(item) for name, item in value.items()}
        return {
            name: _canonical(item, name, key)
            for name, item in value.items()
            if not (name in _LEFT_OUT_AS_ZERO and not isinstance(item, Mapping | list) and not item)
        }
    if isinstance(value, list):
        return [_canonical(item, "", key) for item in value]
    if value != UNKNOWN and (key in _AMOUNTS or (key == "value" and parent == "target")):
        return canonical(value)
    return value
