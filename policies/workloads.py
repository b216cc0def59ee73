"""Rules about what runs: how much it takes, what it may do, and how many there are."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies import ids
from policies.model import Resource, Rule, Stack, Violation
from policies.values import at, containers, items, number, pod, seen

_CONTAINER: Final = "docker:index/container:Container"
_SOCKET: Final = "docker.sock"
_CLUSTER: Final = "postgresql.cnpg.io"
_RESTRICTED_VOLUMES: Final = frozenset(
    {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image", "persistentVolumeClaim", "projected", "secret"}
)
"""Kinds of volumes that Pod Security's `restricted` allows (Pod Security Standards, "Volume Types")."""
_HOST: Final = ("hostNetwork", "hostPID", "hostIPC")


def _limited(resource: Resource) -> Iterator[str]:
    properties = resource.properties
    if resource.type == _CONTAINER:
        memory = properties.get("memory")
        if memory is None or number(memory) == 0:
            yield "the container has no memory limit"
        return
    if resource.kind == "Cluster" and _CLUSTER in resource.type:
        yield from _without(at(properties, "spec", "resources"), "the database's pods")
        return
    for container in containers(pod(properties, resource.kind) or {}):
        yield from _without(container.get("resources"), f"container {container.get('name')}")


def _without(resources: Any, what: str) -> Iterator[str]:
    if at(resources, "limits", "memory") is None:
        yield f"{what} has no memory limit".replace("pods has", "pods have")
    if all(at(resources, kind, "cpu") is None for kind in ("requests", "limits")):
        yield f"{what} has no request for cpu".replace("pods has", "pods have")


def _restricted(resource: Resource) -> Iterator[str]:
    """One violation a resource: each of its parts would be waived for the same reason."""
    properties = resource.properties
    found = list(_docker(properties)) if resource.type == _CONTAINER else list(_pod(pod(properties, resource.kind)))
    if found:
        yield "; ".join(found)


def _pod(spec: Mapping[str, Any] | None) -> Iterator[str]:
    if spec is None:
        return
    context = spec.get("securityContext")
    for name in _HOST:
        if spec.get(name):
            yield f"{name} is on"
    for volume in items(spec, "volumes"):
        if extra := sorted(set(volume) - {"name"} - _RESTRICTED_VOLUMES):
            yield f"volume {volume.get('name')} is of the kind {', '.join(extra)}"
    for container in containers(spec):
        yield from _container(container, context)


def _container(container: Mapping[str, Any], pod_context: Any) -> Iterator[str]:
    own, name = container.get("securityContext"), container.get("name")

    def chosen(*path: str) -> Any:
        found = at(own, *path)
        return at(pod_context, *path) if found is None else found

    if at(own, "privileged"):
        yield f"{name} is privileged"
    if chosen("runAsNonRoot") is not True:
        yield f"{name} may run as root"
    if number(chosen("runAsUser")) == 0:
        yield f"{name} runs as user 0"
    if at(own, "allowPrivilegeEscalation") is not False:
        yield f"{name} may gain privileges"
    if chosen("seccompProfile", "type") not in ("RuntimeDefault", "Localhost"):
        yield f"{name} has no seccomp profile"
    dropped, added = at(own, "capabilities", "drop"), at(own, "capabilities", "add")
    if not isinstance(dropped, list | tuple) or "ALL" not in dropped:
        yield f"{name} keeps capabilities"
    if isinstance(added, list | tuple) and (extra := sorted(map(str, set(added) - {"NET_BIND_SERVICE"}))):
        yield f"{name} adds {', '.join(extra)}"


def _docker(properties: Mapping[str, Any]) -> Iterator[str]:
    if properties.get("privileged"):
        yield "the container is privileged"
    for name in ("pidMode", "ipcMode", "usernsMode"):
        if properties.get(name) == "host":
            yield f"{name} is host"
    if added := at(properties, "capabilities", "adds"):
        yield f"the container adds {', '.join(map(str, added)) if isinstance(added, list | tuple) else added}"
    for volume in items(properties, "volumes"):
        if _SOCKET in str(volume.get("hostPath", "")) and volume.get("hostPath"):
            yield "the container has the Docker daemon's socket: whoever holds it holds the machine"
    options = properties.get("securityOpts")
    if options is None or (isinstance(options, list | tuple) and "no-new-privileges:true" not in options):
        yield "the container may gain privileges"


def _replicated(stack: Stack) -> Iterator[Violation]:
    least = {
        str(at(r.properties, "spec", "scaleTargetRef", "name")): number(at(r.properties, "spec", "minReplicas")) or 1
        for r in stack.resources
        if r.kind == "HorizontalPodAutoscaler"
    }
    for resource in stack.resources:
        spec = at(resource.properties, "spec")
        if resource.kind == "Deployment" and at(spec, "strategy", "type") != "Recreate":
            name = str(at(resource.properties, "metadata", "name"))
            count = least.get(name, number(at(spec, "replicas")) if at(spec, "replicas") is not None else 1)
            if not seen(at(spec, "replicas")) and name not in least and at(spec, "replicas") is not None:
                continue
            if count is not None and count < 2:
                yield Violation(
                    where=resource.name, message=f"it has {int(count)} pod{'' if count == 1 else 's'}", urn=resource.urn
                )
        elif resource.kind == "Cluster" and _CLUSTER in resource.type:
            count = number(at(spec, "instances"))
            if count is not None and count < 2:
                yield Violation(where=resource.name, message="the database has no standby", urn=resource.urn)


RULES: Final = (
    Rule(
        id=ids.RESOURCE_LIMITS,
        demand="Every container has a memory limit, and in a cluster a request for cpu.",
        reason="Without one a single service takes the memory of the machine, and the kernel ends another one for it.",
        fix="set supabase.services.<name>.memory or the group's `memory`; of an app its resources",
        resource=_limited,
    ),
    Rule(
        id=ids.RESTRICTED_PODS,
        demand="Pods keep to Pod Security's `restricted`; containers of Docker gain no privileges and have no socket of its daemon.",
        reason="A fault in one server must not be the machine's.",
        fix="name an image whose user is known, turn the service off, or waive the rule for it with the reason",
        resource=_restricted,
    ),
    Rule(
        id=ids.REPLICAS,
        demand="In prod every Deployment that can have more than one pod has two or more, and an operated database a standby.",
        reason="A node that goes takes the only pod with it; rolling updates need a second one to be without a gap.",
        fix="set kubernetes.replicas.<service>: 2, kubernetes.autoscaling.<service>.minReplicas: 2, or cnpg.instances: 2",
        stack=_replicated,
        prod_only=True,
    ),
)
