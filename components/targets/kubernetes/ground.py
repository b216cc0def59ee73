"""What a stack on Kubernetes stands on: the explicit provider, the namespace, and what the checks are told."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from components import cache, existing_secrets, kubernetes_outside, object_storage, supabase_stack
from components.checks import Checks, Look
from components.plan import APPS, Plan
from components.setting_groups import complete
from components.settings import ROOT
from components.targets.kubernetes import adoption, cloudnativepg, security
from components.targets.kubernetes.concerns import secret_object
from components.targets.kubernetes.demands import demands
from components.targets.kubernetes.egress import Outside
from components.targets.kubernetes.existing import login, read
from components.targets.kubernetes.manifest import Manifest
from components.targets.kubernetes.manifest_files import ManifestFiles
from components.targets.kubernetes.naming import Stack
from components.targets.kubernetes.once import once
from components.targets.kubernetes.register import register
from components.targets.placement import Placement, public_host

_PROBE = "components.targets.kubernetes.probe"


def provider(plan: Plan) -> pulumi.ProviderResource:
    """The explicit provider. Neither the cluster of the moment nor the one that the plugin runs in is ever taken.

    The identifier is the stack's own name and never changes: other credentials, a renamed context or a new address of the cluster are
    updates of the provider, and replace nothing (pulumi-kubernetes, Provider: "only be replaced when clusterIdentifier changes"). A stack
    does not move to another cluster: that is another stack.
    """
    at = plan.settings.kubernetes
    assert at.kubeconfig is not None  # components.kubernetes_contradictions
    return kubernetes.Provider(
        "kubernetes",
        kubeconfig=_shown(at.kubeconfig),
        context=at.context,
        namespace=at.namespace,
        cluster_identifier=f"{plan.settings.project}-{plan.settings.stack}",
        enable_server_side_apply=True,
        # Else a changed one is deleted and made anew, while pods are using it. Pods roll by marks of what they consume.
        enable_config_map_mutable=True,
        enable_secret_mutable=True,
        # What an earlier stack left is taken over by name, once it was seen that it carries the id that is given.
        upsert_existing_objects=plan.adopts or None,
    )


def _shown(path: Path) -> str:
    """The path as the plugin gets it, which runs in the project's folder: one inside is the same for every clone."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def before(plan: Plan, stack_id: pulumi.Output[str]) -> Checks:
    """What must be true of the cluster before anything is made there."""
    return Checks("checks", look=Look.BEFORE, probe=_PROBE, parameters={**cluster(plan), "stack_id": stack_id, **demands(plan)})


def cluster(plan: Plan) -> dict[str, Any]:
    """Where the probe looks, and for what. Pure."""
    at, ours = plan.settings.kubernetes, stack(plan)
    running = [service for each in plan.services.values() for service in each if not service.off]
    return {
        "kubeconfig": str(at.kubeconfig),
        "context": at.context,
        "namespace": at.namespace,
        "namespaces": sorted({at.namespace, *map(ours.home, running)}),
        "instance": ours.instance,
        "workloads": plan.workloads,
    }


def stack(plan: Plan, stack_id: pulumi.Input[str] = "") -> Stack:
    """Whose objects are made."""
    s = plan.settings
    return Stack(project=s.project, stack=s.stack, namespace=s.kubernetes.namespace, stack_id=stack_id)


def manifests(plan: Plan, stack_id: pulumi.Input[str], login: pulumi.Input[str] = "") -> list[Manifest]:
    """What the stack has once: namespaces, network policies, the registry's login, the way in. Pure."""
    services = [service for each in plan.services.values() for service in each]
    args = plan.supabase_args(plan.placement())
    return once(
        stack(plan, stack_id),
        services,
        plan.kubernetes,
        unrestricted=security.unrestricted(services),
        host=public_host(args["placement"], supabase_stack.reference(args)),
        own_tls=supabase_stack.own_tls(args),
        outside=_outside(plan, args),
        login=login,
    )


def _outside(plan: Plan, args: supabase_stack.SupabaseStackArgs) -> dict[str, Outside]:
    store = object_storage.reached(plan.object_storage_args(args["placement"]))
    given = complete("supabase", args.get("settings"))
    cached = cache.external(plan.cache_args(args["placement"]))
    found = kubernetes_outside.outside(given, store.endpoint if store is not None and store.external else None, cached)
    project = plan.settings.supabase.managed
    return found if project is None else {**found, **kubernetes_outside.of_project(project)}


def existing(plan: Plan, provider: pulumi.ProviderResource, checks: pulumi.Resource) -> Mapping[str, pulumi.Output[str]]:
    """The secret settings that are in Secrets of the cluster, by name."""
    wanted = existing_secrets.references(plan.kubernetes, plan.settings.kubernetes.namespace)
    return read(wanted, pulumi.ResourceOptions(provider=provider, depends_on=[checks]))


def lay(
    plan: Plan,
    stack_id: pulumi.Output[str],
    provider: pulumi.ProviderResource,
    checks: pulumi.Resource,
    own_id: pulumi.Output[str],
) -> Placement:
    """Makes the namespace and what stands there before any workload. `stack_id`: known once the checks have passed."""
    once_made = manifests(plan, stack_id, login(plan.kubernetes, pulumi.ResourceOptions(provider=provider, depends_on=[checks])))
    if folder := plan.kubernetes.get("render"):
        ManifestFiles("network-manifests", folder=folder, manifests=once_made)
    after = []
    if plan.adopts:
        guard = adoption.guard(
            "network-adoption", once_made, plan.kubernetes, stack(plan, stack_id), own_id, _secrets_of(plan, once_made)
        )
        after.append(guard)
        stack_id = pulumi.Output.all(stack_id, guard.urn).apply(lambda both: str(both[0]))  # so everything comes after it
    made = register(once_made, pulumi.ResourceOptions(provider=provider, depends_on=after), adopts=plan.adopts)
    # Whoever takes the namespace comes after all of them: no pod starts before it is guarded. But for what may be made anew, which guards
    # nothing: of all that takes a property from it the engine would ask whether it must be made anew, too.
    ready = pulumi.Output.all(*(made[manifest.name].urn for manifest in once_made if not manifest.anew))
    placement = plan.placement(stack_id, ready.apply(lambda _: plan.settings.kubernetes.namespace))
    if plan.adopts:
        placement["kubernetes"]["own_id"] = own_id
    return placement


def _secrets_of(plan: Plan, once_made: Iterable[Manifest]) -> list[tuple[str, str]]:
    """Namespace and name of the Secrets that tell of a stack's keys: of all components but apps, which may hand theirs on."""
    at = plan.settings.kubernetes.namespace
    found = dict.fromkeys(adoption.place(manifest) for manifest in once_made if manifest.kind == "Secret")
    for component, services in plan.services.items():
        for service in services:
            if component != APPS and not service.off:
                found |= dict.fromkeys((at, secret_object(component, secret)) for secret in sorted(service.secrets))
                found |= dict.fromkeys((at, name) for name in cloudnativepg.secrets(service))
    return list(found)


def after(plan: Plan, ready: Sequence[pulumi.Output[list[str]]], *, apps: bool = False) -> Checks:
    """What must be true of the cluster once everything exists. `apps`: of the user's own services, not of the others."""
    looked = cluster(plan)
    workloads = [workload for workload in looked["workloads"] if (workload["component"] == APPS) is apps]
    return Checks(
        "apps-health" if apps else "health",
        look=Look.AFTER,
        probe=_PROBE,
        parameters={**looked, "workloads": workloads, "timeout": plan.settings.health_timeout, "ready": list(ready)},
    )
