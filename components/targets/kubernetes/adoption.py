"""Taking over what a stack whose state is lost left in its namespace: the setting `stackId` names the id that its objects carry.

The provider then lets what is there already pass for made (pulumi-kubernetes, `upsertExistingObjects`). It asks of no object whose it
is, so that is looked at before (`guard`). What data hangs on is applied over what is there; all else `make up` has removed before, since
of Jobs and StatefulSets it could not be changed in place (`toolchain.stack.cluster_orphans`).

A plain `pulumi up` would do so too, with `stackId` still in a committed file and an empty backend by mistake: new keys over Vault's, and
no copy anywhere. So a state that has never passed the guard writes over no Secret that is not copied, as `make up CONFIRM=` does.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import pulumi

from components.checks import Checks, Look
from components.targets.kubernetes.manifest import Manifest
from components.targets.kubernetes.naming import Stack

_FORCE: Final = "pulumi.com/patchForce"
"""Annotation by which the provider takes fields over that another manager set: here the same plugin, in the life before (Pulumi's
documentation, "Kubernetes: annotations")."""
_RELOAD: Final = "cnpg.io/reload"
"""Label of Secrets that an operator reads for as long as its database is there."""
_OPERATORS: Final = (".cnpg.io/",)


def stays(manifest: Manifest) -> bool:
    """Whether a stack that takes over finds it still there: namespaces, and what an operator keeps a database by."""
    labels: Mapping[str, Any] = manifest.body["metadata"].get("labels") or {}
    operated = any(group in str(manifest.body["apiVersion"]) for group in _OPERATORS)
    return manifest.kind == "Namespace" or operated or _RELOAD in labels


def place(manifest: Manifest) -> tuple[str, str]:
    """Namespace and name of an object."""
    metadata = manifest.body["metadata"]
    return str(metadata.get("namespace", "")), str(metadata["name"])


def annotations(manifest: Manifest) -> dict[str, str]:
    """What tells the provider to take its fields over."""
    return {_FORCE: "true"} if stays(manifest) else {}


def guard(
    name: str,
    manifests: Iterable[Manifest],
    settings: Mapping[str, Any],
    stack: Stack,
    own_id: pulumi.Input[str],
    secrets: Iterable[tuple[str, str]],
    opts: pulumi.ResourceOptions | None = None,
) -> Checks:
    """The check that no object of these names is another's, and no key the only one of its kind; all of them come after it.

    Args:
        name: Its name in the stack.
        manifests: As they are rendered, with plain names. Namespaces are looked at by the checks of the foundation.
        settings: Of the target, completed.
        stack: Whose they are, with the id that is given.
        own_id: The id that this state has made.
        secrets: Namespace and name of the Secrets that a state which knows nothing of them must not write over without a copy.
        opts: Resource options.
    """
    objects = [
        {
            "api": manifest.body["apiVersion"],
            "kind": manifest.kind,
            "namespace": manifest.body["metadata"].get("namespace", ""),
            "name": manifest.body["metadata"]["name"],
        }
        for manifest in manifests
        if manifest.kind != "Namespace"
    ]
    return Checks(
        name,
        look=Look.BEFORE,
        probe="components.targets.kubernetes.adoption_probe",
        parameters={
            "kubeconfig": settings.get("kubeconfig"),
            "context": settings.get("context"),
            "stack": stack.stack,
            "stack_id": stack.stack_id,
            "own_id": own_id,
            "wanted": objects,
            "secrets": [{"namespace": namespace, "name": name} for namespace, name in secrets],
        },
        opts=opts,
    )
