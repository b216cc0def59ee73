"""The login of a private registry: copied from a Secret of the cluster into each namespace of the stack, where pods must have it.

The stack makes its namespaces itself, so nobody can have put it there before the first pod.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import pulumi

from components.targets.kubernetes.manifest import Manifest
from components.targets.kubernetes.naming import Stack

NAME: Final = "image-pull"
"""Name of the copies, whatever the other is called."""
KEY: Final = ".dockerconfigjson"
TYPE: Final = "kubernetes.io/dockerconfigjson"
_COMPONENT: Final = "registry"
"""What the copies are labelled as."""


def source(settings: Mapping[str, Any]) -> tuple[str, str] | None:
    """Namespace and name of the Secret that is copied; None where the settings, which are the target's, name none."""
    at = settings.get("imagePullSecret") or {}
    return (at["namespace"], at["name"]) if at else None


def references(settings: Mapping[str, Any]) -> dict[str, Any]:
    """What a pod says of it, and what CloudNativePG is told: `imagePullSecrets`, or nothing."""
    return {} if source(settings) is None else {"imagePullSecrets": [{"name": NAME}]}


def manifests(
    stack: Stack, namespaces: Iterable[str], settings: Mapping[str, Any], content: pulumi.Input[str]
) -> Iterator[Manifest]:
    """A copy for each namespace. `content`: what the other has under its key, in base64."""
    if source(settings) is None:
        return
    for namespace in namespaces:
        metadata = {**stack.metadata(NAME, _COMPONENT), "namespace": namespace}
        yield Manifest(
            name=NAME if namespace == stack.namespace else f"{NAME}-logs",
            body={"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": TYPE, "data": {KEY: content}},
        )
