"""What the settings of the Kubernetes target can't say together, and which settings of the other target have no effect."""

import os
import re
from collections.abc import Iterator, Mapping
from typing import Any

from components.existing_secrets import Referenced
from components.kubernetes_settings import Exposure, KubernetesSettings
from components.setting_contradictions import Context, Values, rule
from components.setting_schema import Problem, default_of, key_text, shown
from components.setting_types import Target
from components.setting_values import size_text


def _settings(values: Values) -> Mapping[str, Any] | None:
    """The target's settings; None where it is another target."""
    return values["kubernetes"] if values["target"] is Target.KUBERNETES else None


@rule("target", "kubernetes.kubeconfig", "kubernetes.context")
def _the_cluster_is_named(values: Values, context: Context) -> Iterator[Problem]:
    given = _settings(values)
    if given is None:
        return
    if "kubeconfig" not in given:
        several = len([path for path in (context.kubeconfig or "").split(os.pathsep) if path]) > 1
        if several or not context.kubeconfig:
            yield Problem(
                path=("kubernetes", "kubeconfig"),
                value=None,
                reason="KUBECONFIG names several files" if several else "nothing says which cluster, and none is guessed",
                fix=f"name one file: pulumi config set --path {context.project}:kubernetes.kubeconfig PATH --stack {context.stack}",
            )
    if "context" not in given:
        yield Problem(
            path=("kubernetes", "context"),
            value=None,
            reason="the kubeconfig's current context changes with every `kubectl config use-context`, and a deployment with it",
            fix=f"name one of `kubectl config get-contexts -o name`: pulumi config set --path {context.project}:kubernetes.context NAME "
            f"--stack {context.stack}",
        )


@rule("target", "kubernetes.namespace")
def _the_namespace_has_a_name(values: Values, context: Context) -> Iterator[Problem]:
    given = _settings(values)
    name = f"{context.project}-{context.stack}"
    if given is not None and "namespace" not in given and not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", name):
        yield Problem(
            path=("kubernetes", "namespace"),
            value=None,
            reason=f"{name}, which the stack's namespace would be called, can't be the name of one",
            fix="give one of up to 63 of a-z, 0-9 and -, or rename the stack",
        )


@rule("target", "kubernetes.exposure", "supabase.enabled", "supabase.gateway.enabled", "apps")
def _an_exposed_gateway_has_a_name(values: Values, _context: Context) -> Iterator[Problem]:
    given = _settings(values)
    if given is None:
        return
    exposure, path = given["exposure"], ("kubernetes", "exposure")
    kind: Exposure = exposure["kind"]
    if kind is Exposure.NONE:
        unused = [name for name in ("host", "baseDomain", "className", "tlsSecret", "issuer") if name in exposure]
        for name in unused:
            yield Problem(
                path=(*path, name),
                value=shown(exposure[name]),
                reason="kind is none, so nothing outside the cluster reaches the gateway",
                fix="set kubernetes.exposure.kind to gateway, ingress or loadbalancer, or remove it",
            )
        return
    there = values["supabase"]["enabled"] and values["supabase"]["gateway"]["enabled"]
    # Apps have names of their own, which are brought to them in the same way.
    for_apps = any("host" in app for app in values["apps"].values())
    if not there and not for_apps:
        yield Problem(
            path=(*path, "kind"),
            value=shown(kind.value),
            reason="only the gateway is exposed, and it is turned off",
            fix="set it to none, or turn the gateway on: supabase.gateway.enabled: true; or give an app a host: apps.<name>.host",
        )
    if not there and for_apps:
        pass
    elif "host" not in exposure and "baseDomain" not in exposure:
        yield Problem(
            path=(*path, "host"),
            value=None,
            reason=f"kind is {kind.value}, and clients need a name to reach the gateway by: links in mails and tokens carry it",
            fix='give the public name, as in "api.example.com", or baseDomain, under which each stack has one',
        )
    elif "host" in exposure and "baseDomain" in exposure:
        yield Problem(
            path=(*path, "baseDomain"),
            value=shown(exposure["baseDomain"]),
            reason=f"host says the whole name already: {exposure['host']}",
            fix="keep one of the two",
        )
    if kind is Exposure.INGRESS and "className" not in exposure:
        yield Problem(
            path=(*path, "className"),
            value=None,
            reason="a cluster may have several ingress controllers, or none that takes an ingress without a class",
            fix="give one of `kubectl get ingressclasses -o name`, as in nginx",
        )
    if kind is Exposure.GATEWAY and "name" not in exposure.get("gateway", {}):
        yield Problem(
            path=(*path, "gateway", "name"),
            value=None,
            reason="a route belongs to a Gateway, which is the platform's and not made here",
            fix="give the name and the namespace of one of `kubectl get gateways -A`",
        )
    if "issuer" in exposure and (kind is not Exposure.INGRESS or "tlsSecret" not in exposure):
        ingress = kind is Exposure.INGRESS
        yield Problem(
            path=(*path, "issuer"),
            value=shown(exposure["issuer"]),
            reason="nothing says which Secret cert-manager writes the certificate to"
            if ingress
            else "only an ingress has a certificate here",
            fix="give tlsSecret, the name of that Secret" if ingress else "remove it; with a Gateway, TLS is the Gateway's own",
        )


@rule("target", "kubernetes.exposure", "kubernetes.networkPolicy")
def _what_brings_clients_fits_how_they_come(values: Values, _context: Context) -> Iterator[Problem]:
    given = _settings(values)
    if given is None:
        return
    kind: Exposure = given["exposure"]["kind"]
    namespaces = given["networkPolicy"]["gatewayNamespaces"]
    if "tlsSecret" in given["exposure"] and kind in (Exposure.GATEWAY, Exposure.LOADBALANCER):
        yield Problem(
            path=("kubernetes", "exposure", "tlsSecret"),
            value=shown(given["exposure"]["tlsSecret"]),
            reason=f"only an ingress takes a certificate from a Secret here, and kind is {kind.value}",
            fix="remove it: with a Gateway, TLS is the Gateway's; behind a load balancer the gateway has `supabase.gateway.tlsCertificate`",
        )
    if namespaces and kind in (Exposure.NONE, Exposure.LOADBALANCER):
        outside = "behind a load balancer clients come from outside the cluster, and would all be shut out"
        yield Problem(
            path=("kubernetes", "networkPolicy", "gatewayNamespaces"),
            value=shown(", ".join(namespaces)),
            reason=outside if kind is Exposure.LOADBALANCER else "kind of kubernetes.exposure is none, so nothing brings clients",
            fix="remove it" if kind is Exposure.LOADBALANCER else "remove it; for apps of the cluster there is clientNamespaces",
        )


@rule("target", "kubernetes.networkPolicy")
def _somebody_answers_names(values: Values, _context: Context) -> Iterator[Problem]:
    given = _settings(values)
    if given is None or any(given["networkPolicy"]["dns"][part] for part in ("namespaces", "cidrs")):
        return
    # Without a peer a rule is open to everything, not to nothing.
    yield Problem(
        path=("kubernetes", "networkPolicy", "dns", "namespaces"),
        value="[]",
        reason="dns.cidrs is empty too, so no pod could look up a name",
        fix="name the namespace of the cluster's DNS (`kubectl get pods -A -l k8s-app=kube-dns`), or its address in dns.cidrs",
    )


@rule("target", "kubernetes.autoscaling", "kubernetes.replicas")
def _one_way_to_count_pods(values: Values, _context: Context) -> Iterator[Problem]:
    given = _settings(values)
    if given is None:
        return
    for service, wanted in sorted(given["autoscaling"].items()):
        path = ("kubernetes", "autoscaling", service)
        if wanted["minReplicas"] > wanted["maxReplicas"]:
            yield Problem(
                path=(*path, "minReplicas"),
                value=str(wanted["minReplicas"]),
                reason=f"it is more than maxReplicas, which is {wanted['maxReplicas']}",
                fix="lower it, or raise maxReplicas",
            )
        if service in given["replicas"]:
            yield Problem(
                path=("kubernetes", "replicas", service),
                value=str(given["replicas"][service]),
                reason="the number of its pods is autoscaling's: the two would take turns",
                fix=f"remove it, or remove kubernetes.autoscaling.{service}",
            )


@rule("target", "kubernetes.resources")
def _limits_hold_requests(values: Values, _context: Context) -> Iterator[Problem]:
    given = _settings(values)
    if given is None:
        return
    for service, wanted in sorted(given["resources"].items()):
        path = ("kubernetes", "resources", service)
        if wanted.get("memoryRequest", 0) > wanted.get("memoryLimit", float("inf")):
            limit = size_text(wanted["memoryLimit"])
            yield _above((*path, "memoryRequest"), size_text(wanted["memoryRequest"]), f"memoryLimit, which is {limit}")
        if _cores(wanted.get("cpuRequest", "0")) > _cores(wanted.get("cpuLimit", "1000")):
            yield _above((*path, "cpuRequest"), wanted["cpuRequest"], f"cpuLimit, which is {wanted['cpuLimit']}")


@rule("target", "kubernetes.existingSecrets")
def _a_secret_is_in_one_place(values: Values, context: Context) -> Iterator[Problem]:
    given = _settings(values)
    if given is None:
        return
    for setting, at in sorted(given["existingSecrets"].items()):
        path = ("kubernetes", "existingSecrets", setting)
        for missing in (name for name in ("name", "key") if name not in at):
            yield Problem(
                path=(*path, missing),
                value=None,
                reason="nothing says which Secret it is, or which key of it",
                fix="give the name of the Secret and the key in it, as `kubectl describe secret` shows them",
            )
        if setting in context.secrets and not isinstance(values.get(setting), Referenced):
            yield Problem(
                path=path,
                value=None,
                reason=f"{setting} is given by the stack's configuration, too",
                fix=f"keep one of the two: pulumi config rm {key_text(context.project, (setting,))} --stack {context.stack}",
            )


@rule("target", "kubernetes.imagePullSecret", "kubernetes.namespace")
def _the_login_of_a_registry_is_somewhere_else(values: Values, context: Context) -> Iterator[Problem]:
    given = _settings(values)
    at = None if given is None else given.get("imagePullSecret")
    if given is None or not at:
        return
    for missing in (name for name in ("name", "namespace") if name not in at):
        yield Problem(
            path=("kubernetes", "imagePullSecret", missing),
            value=None,
            reason="nothing says which Secret it is, or where: the stack copies it into the namespace that it makes",
            fix="give the name of a Secret of type kubernetes.io/dockerconfigjson, and its namespace",
        )
    if at.get("namespace") == given.get("namespace", f"{context.project}-{context.stack}"):
        yield Problem(
            path=("kubernetes", "imagePullSecret", "namespace"),
            value=shown(at["namespace"]),
            reason="that is the stack's own, which is not there before the first up and goes with a purge",
            fix="keep the Secret in another one; the stack copies it",
        )


def _above(path: tuple[str, ...], value: str, limit: str) -> Problem:
    fix = "lower it, or raise the limit"
    return Problem(path=path, value=value, reason=f"it is more than {limit}: Kubernetes takes no such pod", fix=fix)


def _cores(text: str) -> float:
    return float(text[:-1]) / 1000 if text.endswith("m") else float(text)


def target_warnings(values: Values, context: Context) -> Iterator[str]:
    """Settings of the target that is not the stack's: they have no effect. The settings have no problem."""
    target: Target = values["target"]
    if target is not Target.DOCKER:
        for name in values["docker"]:
            yield f"{key_text(context.project, ('docker', name))} has no effect: target is {target.value}"
    if target is Target.KUBERNETES:
        address = values["bindAddress"]
        if address != "127.0.0.1":
            yield f"{key_text(context.project, ('bindAddress',))} is {address}: here it is only where `make forward` listens"
        return
    unused = [name for name, value in values["kubernetes"].items() if value != default_of(KubernetesSettings).get(name)]
    for name in unused:
        yield f"{key_text(context.project, ('kubernetes', name))} has no effect: target is {target.value}"
