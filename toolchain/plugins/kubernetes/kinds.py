"""The kinds that this plugin knows, and what of them can't be changed in place.

The fields for which an object is replaced are those of provider/pkg/provider/diff.go (forceNew).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .objects import group_version, kind_id, text_at


@dataclass(frozen=True)
class Known:
    """A kind that is built into Kubernetes.

    Attributes:
        plural: its name in the API's paths.
        namespaced: lives in a namespace.
        replaces: paths for whose change the object is replaced; `[*]` is every element of a list.
    """

    plural: str
    namespaced: bool = True
    replaces: tuple[str, ...] = ()


_IDENTITY = (".metadata.name", ".metadata.namespace")

_POD_FIELDS = [
    "affinity",
    "automountServiceAccountToken",
    "dnsConfig",
    "dnsPolicy",
    "enableServiceLinks",
    "hostAliases",
    "hostIPC",
    "hostNetwork",
    "hostPID",
    "hostname",
    "imagePullSecrets",
    "nodeName",
    "nodeSelector",
    "overhead",
    "preemptionPolicy",
    "priority",
    "priorityClassName",
    "readinessGates",
    "restartPolicy",
    "runtimeClassName",
    "schedulerName",
    "securityContext",
    "serviceAccount",
    "serviceAccountName",
    "shareProcessNamespace",
    "subdomain",
    "terminationGracePeriodSeconds",
    "volumes",
]

_CONTAINER_FIELDS = [
    "args",
    "command",
    "env",
    "image",
    "imagePullPolicy",
    "lifecycle",
    "livenessProbe",
    "ports",
    "readinessProbe",
    "resources",
    "securityContext",
    "stdin",
    "stdinOnce",
    "terminationMessagePath",
    "terminationMessagePolicy",
    "tty",
    "volumeDevices",
    "volumeMounts",
    "workingDir",
]

_POD = tuple(f".spec.{field}" for field in _POD_FIELDS) + tuple(
    f".spec.{containers}[*].{field}" for containers in ("containers", "initContainers") for field in _CONTAINER_FIELDS
)

KNOWN: Mapping[str, Known] = {
    "v1/ConfigMap": Known("configmaps"),
    "v1/Namespace": Known("namespaces", namespaced=False),
    "v1/PersistentVolume": Known("persistentvolumes", namespaced=False, replaces=(".spec.hostPath", ".spec.local", ".spec.csi")),
    "v1/PersistentVolumeClaim": Known(
        "persistentvolumeclaims",
        replaces=(".spec.accessModes", ".spec.selector", ".spec.storageClassName", ".spec.volumeName"),
    ),
    "v1/Pod": Known("pods", replaces=_POD),
    "v1/ResourceQuota": Known("resourcequotas", replaces=(".spec.scopes",)),
    "v1/Secret": Known("secrets", replaces=(".type",)),
    "v1/Service": Known("services", replaces=(".spec.clusterIP",)),
    "v1/ServiceAccount": Known("serviceaccounts"),
    "apps/v1/DaemonSet": Known("daemonsets", replaces=(".spec.selector",)),
    "apps/v1/Deployment": Known("deployments", replaces=(".spec.selector",)),
    "apps/v1/StatefulSet": Known(
        "statefulsets",
        replaces=(
            ".spec.podManagementPolicy",
            ".spec.revisionHistoryLimit",
            ".spec.selector",
            ".spec.serviceName",
            ".spec.volumeClaimTemplates",
        ),
    ),
    "autoscaling/v2/HorizontalPodAutoscaler": Known("horizontalpodautoscalers"),
    "batch/v1/CronJob": Known("cronjobs"),
    "batch/v1/Job": Known("jobs", replaces=(".spec.completions", ".spec.parallelism", ".spec.selector", ".spec.template")),
    "networking.k8s.io/v1/Ingress": Known("ingresses"),
    "networking.k8s.io/v1/IngressClass": Known("ingressclasses", namespaced=False),
    "networking.k8s.io/v1/NetworkPolicy": Known("networkpolicies"),
    "policy/v1/PodDisruptionBudget": Known("poddisruptionbudgets"),
    "rbac.authorization.k8s.io/v1/ClusterRole": Known("clusterroles", namespaced=False),
    "rbac.authorization.k8s.io/v1/ClusterRoleBinding": Known("clusterrolebindings", namespaced=False, replaces=(".roleRef",)),
    "rbac.authorization.k8s.io/v1/Role": Known("roles"),
    "rbac.authorization.k8s.io/v1/RoleBinding": Known("rolebindings", replaces=(".roleRef",)),
    "scheduling.k8s.io/v1/PriorityClass": Known("priorityclasses", namespaced=False),
    "storage.k8s.io/v1/StorageClass": Known("storageclasses", namespaced=False, replaces=(".parameters", ".provisioner")),
}

_BUILT_IN_GROUPS = frozenset(
    {
        "",
        "admissionregistration.k8s.io",
        "apiextensions.k8s.io",
        "apiregistration.k8s.io",
        "apps",
        "auditregistration.k8s.io",
        "authentication.k8s.io",
        "authorization.k8s.io",
        "autoscaling",
        "batch",
        "certificates.k8s.io",
        "coordination.k8s.io",
        "discovery.k8s.io",
        "events.k8s.io",
        "extensions",
        "flowcontrol.apiserver.k8s.io",
        "internal.apiserver.k8s.io",
        "networking.k8s.io",
        "node.k8s.io",
        "policy",
        "rbac.authorization.k8s.io",
        "resource.k8s.io",
        "scheduling.k8s.io",
        "settings.k8s.io",
        "storage.k8s.io",
        "storagemigration.k8s.io",
    }
)
"""Groups of Kubernetes' own; a kind of any other group is a custom resource."""

_OFFICIAL_MODULES = ("helm.sh/", "kustomize", "yaml")
"""Modules of the official plugin's own resource types, which are no Kubernetes kinds."""


def known(item: Mapping[str, Any]) -> Known | None:
    """The built-in kind of an object; None for a custom resource."""
    return KNOWN.get(kind_id(item))


def is_secret(item: Mapping[str, Any]) -> bool:
    """Whether an object is a Secret of the core group."""
    return kind_id(item) == "v1/Secret"


def problem_of_token(token: str) -> str | None:
    """Why a resource type can't be had here; None when it can."""
    package, _, rest = token.partition(":")
    module, _, kind = rest.rpartition(":")
    group, _, version = module.partition("/")
    if package != "kubernetes" or not kind:
        return f"{token} is no type of the kubernetes plugin"
    if module.startswith(_OFFICIAL_MODULES):
        return f"{token} is a type that this plugin does not have"
    if "core" in group.split("/"):
        group = ""
    if group not in _BUILT_IN_GROUPS:
        return f"{token} is a Patch or List type, which this plugin does not have" if kind.endswith("Patch") else None
    name = f"{group}/{version}/{kind}" if group else f"{version}/{kind}"
    if name in KNOWN:
        return None
    return f"{token} is a type that this plugin does not have; of Kubernetes' own it has {', '.join(sorted(KNOWN))}"


def object_of_token(token: str) -> dict[str, str]:
    """The apiVersion and kind of a resource type."""
    module, _, kind = token.partition(":")[2].rpartition(":")
    return {"apiVersion": module.removeprefix("core/"), "kind": kind}


def replacing_fields(item: Mapping[str, Any], *, mutable_config_maps: bool, mutable_secrets: bool) -> tuple[str, ...]:
    """The paths for whose change this object is replaced (diff.go, forceNewProperties).

    Secrets and ConfigMaps are replaced for their content unless the provider's settings let them be changed and they are not
    marked immutable.
    """
    kind = kind_id(item)
    immutable = item.get("immutable") is True
    if kind == "v1/Secret" and (not mutable_secrets or immutable):
        return (*_IDENTITY, ".type", ".stringData", ".data")
    if kind == "v1/ConfigMap" and (not mutable_config_maps or immutable):
        return (*_IDENTITY, ".binaryData", ".data")
    found = KNOWN.get(kind)
    return _IDENTITY + (found.replaces if found else ())


def is_built_in(item: Mapping[str, Any]) -> bool:
    """Whether the API server reads an object as one of its own types, and so writes its values in their canonical form."""
    return group_version(item)[0] in _BUILT_IN_GROUPS and bool(text_at(item, "kind"))
