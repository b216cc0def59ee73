"""What a stack on Kubernetes has once, beside its components' objects: namespaces, network policies, and the way in."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import pulumi

from components.service import Service
from components.targets.kubernetes import pull_secret
from components.targets.kubernetes.egress import Outside
from components.targets.kubernetes.exposure import exposure
from components.targets.kubernetes.manifest import Manifest
from components.targets.kubernetes.namespace import namespaces
from components.targets.kubernetes.naming import Stack
from components.targets.kubernetes.network_policies import COMPONENT, network_policies


def once(
    stack: Stack,
    services: Iterable[Service],
    settings: Mapping[str, Any],
    *,
    unrestricted: Mapping[str, str],
    host: str | None = None,
    own_tls: bool = False,
    outside: Mapping[str, Outside] | None = None,
    login: pulumi.Input[str] = "",
) -> list[Manifest]:
    """Those objects, namespaces first: whoever comes after the last one finds its namespace there, and guarded.

    Args:
        stack: Whose they are.
        services: Those of all components.
        settings: The completed settings of the target.
        unrestricted: Why a service's pods can't run under Pod Security `restricted`, by service.
        host: The public host name; None where there is none.
        own_tls: Whether the gateway itself has a certificate.
        outside: What is known of destinations outside the cluster (components.outside).
        login: Content of the Secret that images are pulled with, in base64, where the settings name one.
    """
    services = tuple(services)
    rooms = namespaces(stack, services, settings, unrestricted)
    manifest = {m.body["metadata"]["name"]: m.name for m in rooms}
    inside = [
        *pull_secret.manifests(stack, manifest, settings, login),
        *network_policies(stack, services, settings, outside=outside),
        *exposure(stack, COMPONENT, services, settings, host, own_tls=own_tls),
    ]
    return [*rooms, *(replace(m, after=(manifest[m.body["metadata"]["namespace"]], *m.after)) for m in inside)]
