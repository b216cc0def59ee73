"""Rules about data: it does not go by accident, and there is a copy of it."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies import ids
from policies.model import Level, Resource, Rule, Stack, Violation
from policies.values import at, is_masked, items, labels, seen

_VOLUME: Final = "docker:index/volume:Volume"
_CONTAINER: Final = "docker:index/container:Container"
_GENERATED: Final = ("random:index/randomPassword:RandomPassword", "random:index/randomId:RandomId")
_PRECIOUS: Final = "supastack.precious"
_PAIRED: Final = "supastack.paired-secret"
"""Labels of our volumes (components/targets/labels.py). The second is a secret, which may hide the whole list."""
_LOGS_NAMESPACE: Final = "namespace-logs"
"""The one of what reads all pods' logs: no claim is in it (components/targets/kubernetes/namespace.py)."""
_SERVICE: Final = "supastack.service"
_DATABASES: Final = ("postgres", "plain-postgres")
"""Services that hold a database of the stack's own (components/services)."""


def _protected(resource: Resource) -> Iterator[str]:
    properties = resource.properties
    if resource.kind == "StatefulSet" and items(properties, "spec", "volumeClaimTemplates"):
        policy = at(properties, "spec", "persistentVolumeClaimRetentionPolicy")
        for when in ("whenDeleted", "whenScaled"):
            if at(policy, when) == "Delete":
                yield f"persistentVolumeClaimRetentionPolicy.{when} is Delete: the claims would go"
    elif not resource.protect and (wrong := _unprotected(resource)):
        yield wrong


def _unprotected(resource: Resource) -> str | None:
    """What it means that a resource is not protected; None: nothing."""
    if resource.type == _VOLUME and (
        is_masked(resource.properties.get("labels")) or labels(resource.properties).get(_PRECIOUS) == "true"
    ):
        return "the volume holds data that can't be made again, and is not protected"
    if resource.type == _GENERATED[1] and resource.name == "stack-id":
        return "the stack's id is not protected: with it goes the claim to the kept volumes"
    if resource.kind == "Cluster" and "postgresql.cnpg.io" not in resource.type:
        return None
    if resource.kind == "Namespace" and resource.name == _LOGS_NAMESPACE:
        return None
    return _KINDS.get(resource.kind)


_KINDS: Final = {
    "PersistentVolumeClaim": "the claim is not protected",
    "Namespace": "the namespace is not protected: all claims and Secrets in it would go with it",
    "Cluster": "the database is not protected: its operator deletes the claims with it",
}


def _secrets_protected(stack: Stack) -> Iterator[Violation]:
    """A component whose data opens with a secret has one that is protected; which it is, is the component's own affair."""
    keeps = {resource.name.split("-", 1)[0] for resource in stack.resources if _is_paired(resource)}
    by_component: dict[str, list[Resource]] = {}
    for resource in stack.resources:
        if resource.type == _GENERATED[0]:
            by_component.setdefault(resource.name.split("-", 1)[0], []).append(resource)
    for component, generated in by_component.items():
        if component in keeps and not any(resource.protect for resource in generated):
            for resource in generated:
                message = "no generated secret of its component is protected, and data there opens with one of them alone"
                yield Violation(where=resource.name, message=message, urn=resource.urn)


def _is_paired(resource: Resource) -> bool:
    """Whether it holds data that only opens with a secret of the stack."""
    if resource.type == _VOLUME:
        return is_masked(resource.properties.get("labels")) or _PAIRED in labels(resource.properties)
    return _is_own_database(resource) and bool(resource.kind)


def _backed_up(stack: Stack) -> Iterator[Violation]:
    scheduled = {
        str(at(resource.properties, "spec", "cluster", "name"))
        for resource in stack.resources
        if resource.kind == "ScheduledBackup"
    }
    for resource in stack.resources:
        if _is_own_database(resource):
            message = "it is a database of the stack's own, and nothing makes backups of it"
            yield Violation(where=resource.name, message=message, urn=resource.urn)
        elif resource.kind == "Cluster" and "postgresql.cnpg.io" in resource.type:
            name = at(resource.properties, "metadata", "name")
            if not seen(name) or str(name) not in scheduled:
                yield Violation(where=resource.name, message="it is a database without a ScheduledBackup", urn=resource.urn)


def _is_own_database(resource: Resource) -> bool:
    if resource.type == _CONTAINER:
        held: Mapping[str, Any] = labels(resource.properties)
        return held.get(_SERVICE) in _DATABASES and held.get("supastack.kind", "server") != "job"
    name = at(resource.properties, "metadata", "labels", "app.kubernetes.io/name")
    return resource.kind == "StatefulSet" and name in _DATABASES


RULES: Final = (
    Rule(
        id=ids.PROTECTED_DATA,
        demand="Volumes, claims, namespaces and databases with data, and the secrets that open it, are protected from deletion.",
        reason="A changed name or a careless `pulumi destroy` would delete the only copy.",
        fix="leave protect on (`make purge` is the way to remove data); of a resource of your own set protect=True",
        resource=_protected,
        stack=_secrets_protected,
    ),
    Rule(
        id=ids.BACKUPS,
        demand="In prod every database of the stack's own has backups.",
        reason="A volume that is kept is no copy: it goes with its disk, and a wrong DELETE is in it too.",
        fix="use supabase.database.engine: cloudnativepg with cnpg.backup.schedule, or a managed database; else dump it yourself",
        level=Level.ADVISORY,
        stack=_backed_up,
        prod_only=True,
    ),
)
