"""Looks at a Kubernetes cluster before and after a deployment: the `Probe` of the Kubernetes target.

Runs in the process of the dynamic provider, in every preview and up. In a preview it only looks.
"""

import os
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from components.identity import refusal
from components.targets.kubernetes.api import Cluster, Json, Refused, Unreachable
from components.targets.kubernetes.claim_sizes import too_small
from components.targets.kubernetes.existing_probe import existing_problems, login_problems
from components.targets.kubernetes.naming import COMPONENT, INSTANCE, NAME, STACK_ID
from components.targets.kubernetes.network_policies import CLUSTER
from components.targets.kubernetes.readiness import POOLER, REFUSED, Found, unready
from components.targets.kubernetes.storage import IDENTITY, PAIRED_SECRET

MINIMUM: Final = (1, 27)
"""Since then claims outlive their StatefulSet by its own word (persistentVolumeClaimRetentionPolicy, on by default from 1.27)."""
DRAINING: Final = (1, 30)
"""Since then kubelet itself waits before it stops a container (preStop `sleep`, on by default from 1.30)."""
_ROOT: Final = Path(__file__).resolve().parents[3]
_DEFAULT_CLASS: Final = "storageclass.kubernetes.io/is-default-class"
_DEPLOYS: Final = ("create", "get", "patch", "delete")
_LOOKS: Final = ("get",)
"""What a preview takes: it reads every object. What a dry run would refuse, both plugins show as the inputs have it (pulumi-kubernetes
provider.go, Create; pull request 2419)."""
_POLL_SECONDS = 1.0
_OPTIONAL_SECONDS = 45
"""How long the health gate waits for what nothing else needs."""


def reached(parameters: Mapping[str, Any]) -> Cluster:
    """The cluster that the plugin uses too.

    Raises:
        Unreachable: there is no such kubeconfig, or no such context in it.
    """
    path = parameters["kubeconfig"] or os.environ.get("KUBECONFIG", "")
    return Cluster(_ROOT / Path(path).expanduser(), parameters["context"] or "")


def unreachable(parameters: Mapping[str, Any], error: Exception) -> str:
    """One sentence for a cluster that can't be asked."""
    return f"context {parameters['context']} (supastack:kubernetes.context): {error}"


# ---- before ----------------------------------------------------------------------------------------------------------


def before(parameters: Mapping[str, Any], *, preview: bool) -> Sequence[str]:
    """What the cluster lacks: its version, kinds, classes and rights; namespaces and claims of ours that are not ours.

    It only looks, always. With `preview` the user may be one that can do no more than that either.
    """
    try:
        cluster = reached(parameters)
        old = _version_problems(parameters, cluster)
        if old:
            return old
        return [
            *_kind_problems(parameters, cluster),
            *_namespace_problems(parameters, cluster),
            *_object_problems(parameters, cluster),
            *_storage_problems(parameters, cluster),
            *_claim_problems(parameters, cluster),
            *_right_problems(parameters, cluster, preview=preview),
            *existing_problems(parameters["existing"] or (), parameters["namespace"], cluster),
            *login_problems(parameters["registry"], cluster),
            *_refusals(parameters, cluster),
        ]
    except (Unreachable, Refused) as error:
        return [unreachable(parameters, error)]


def _version_problems(parameters: Mapping[str, Any], cluster: Cluster) -> list[str]:
    try:
        found = cluster.get("/version")
    except Refused as error:
        if error.status not in (401, 403):
            raise
        who = "does not know who asks" if error.status == 401 else "does not let this user ask"
        return [f"the cluster at {cluster.server} {who}: {error}. Log in again, or mend the user in the kubeconfig."]
    numbers = re.match(r"v(\d+)\.(\d+)", str(found.get("gitVersion", "")))
    if numbers is None:
        return []
    version, runs = (int(numbers[1]), int(numbers[2])), found["gitVersion"]
    if version < MINIMUM:
        return [
            f"the cluster at {cluster.server} runs Kubernetes {runs}, and this project needs {_text(MINIMUM)} or later. Upgrade it."
        ]
    if version < DRAINING and (drained := parameters["drained"]):
        settings = ", ".join(f"supastack:apps.{name}.drain" for name in drained)
        return [
            f"the cluster at {cluster.server} runs Kubernetes {runs}, and {settings} needs {_text(DRAINING)} or later. "
            "Upgrade it, or set 0: a rollout may fail some calls then."
        ]
    return []


def _text(version: tuple[int, int]) -> str:
    return ".".join(map(str, version))


def _kind_problems(parameters: Mapping[str, Any], cluster: Cluster) -> list[str]:
    """Kinds that the cluster does not know: each belongs to something that must be installed there first."""
    problems = []
    for wanted in parameters["kinds"] or ():
        listed = cluster.find(f"/apis/{wanted['group']}/{wanted['version']}")
        known = {str(resource.get("kind")) for resource in (listed or {}).get("resources") or ()}
        missing = [kind for kind in wanted["kinds"] if kind not in known]
        if missing:
            problems.append(
                f"the cluster does not know {', '.join(missing)} ({wanted['group']}/{wanted['version']}), which {wanted['setting']} "
                f"needs. Install {wanted['from']} in it, or change the setting."
            )
    return problems


def _namespace_problems(parameters: Mapping[str, Any], cluster: Cluster) -> list[str]:
    problems = []
    for name in parameters["namespaces"] or ():
        found = cluster.find(f"/api/v1/namespaces/{name}")
        if found is None:
            continue
        theirs = (found["metadata"].get("annotations") or {}).get(STACK_ID)
        if (found.get("status") or {}).get("phase") == "Terminating":
            problems.append(f"namespace {name} is being deleted. Wait until it is gone (`kubectl get namespace {name}`).")
        elif theirs is None:
            problems.append(
                f"namespace {name} exists and was not made by Supastack. Nothing was touched. Choose another one: "
                f"`pulumi config set --path supastack:kubernetes.namespace NAME`."
            )
        elif theirs != parameters["stack_id"]:
            problems.append(
                f"namespace {name} belongs to a Supastack stack with id {theirs}, whose state, and with it the passwords, is not the one "
                f"in use here. Nothing was touched. To take it over with its data, give its id and its old passwords, and `make up` adopts "
                f"it: `pulumi config set supastack:stackId {theirs}`, `pulumi config set --secret supastack:databasePassword`. What its "
                f"Secrets hold is the last there is of the others: docs/kubernetes.md. Or choose another name: kubernetes.namespace. Only "
                f"where nobody needs its data any more: `kubectl delete namespace {name}`, which deletes all of it."
            )
    return problems


def _object_problems(parameters: Mapping[str, Any], cluster: Cluster) -> list[str]:
    """Objects that the settings name and that are the cluster's, not the stack's: classes, Gateways, issuers."""
    problems = []
    for wanted in parameters["objects"] or ():
        try:
            found = cluster.find(wanted["path"])
        except Refused:
            continue  # who may not look at it may still refer to it
        if found is None:
            problems.append(
                f"there is no {wanted['what']} {wanted['name']} in the cluster ({wanted['setting']}). {wanted['fix']}"
            )
            continue
        listeners = {str(listener.get("name")) for listener in (found.get("spec") or {}).get("listeners") or ()}
        if wanted["section"] and wanted["section"] not in listeners:
            problems.append(
                f"{wanted['what']} {wanted['name']} has no listener {wanted['section']} (supastack:kubernetes.exposure.gateway.section); "
                f"it has: {', '.join(sorted(listeners)) or 'none'}. Choose one of them."
            )
    return problems


def _storage_problems(parameters: Mapping[str, Any], cluster: Cluster) -> list[str]:
    if not parameters["default_storage"]:
        return []
    try:
        classes = cluster.items("/apis/storage.k8s.io/v1/storageclasses")
    except Refused:
        return []
    if any((c["metadata"].get("annotations") or {}).get(_DEFAULT_CLASS) == "true" for c in classes):
        return []
    has = ", ".join(sorted(c["metadata"]["name"] for c in classes)) or "none"
    return [
        f"the cluster has no default StorageClass, so no claim would get a volume; its classes: {has}. Name one: "
        f"`pulumi config set --path supastack:kubernetes.storageClass NAME`."
    ]


def _claim_problems(parameters: Mapping[str, Any], cluster: Cluster) -> list[str]:
    """Claims whose data the stack has no use for, that their server can't read, or that are too small."""
    wanted = {claim["name"]: claim for claim in parameters["claims"] or ()}
    operated = {service["name"]: service for service in parameters.get("operated") or ()}
    namespace, problems = parameters["namespace"], []
    for claim in cluster.items(f"/api/v1/namespaces/{namespace}/persistentvolumeclaims"):
        marks, name = claim["metadata"].get("annotations") or {}, claim["metadata"]["name"]
        if marks.get(STACK_ID) != parameters["stack_id"]:
            continue
        # An operator numbers the claims of a service as it makes them.
        known = wanted.get(name) or operated.get((claim["metadata"].get("labels") or {}).get(CLUSTER, ""))
        if known is None:
            whose = (claim["metadata"].get("labels") or {}).get(COMPONENT)
            problems.append(
                f"claim {name} holds data of this stack's {whose}, for which the settings have no use any more (an external one in its "
                f"place?). Nothing was touched. Set them back; or save the data and give the claim up: `make down`, `kubectl -n "
                f"{namespace} delete pvc {name}`, `make up`."
            )
            continue
        if (small := too_small(claim, known, namespace)) is not None:
            problems.append(small)
        held, now, setting = marks.get(IDENTITY), known["identity"], known["setting"]
        if held and now and refusal(name, held, now, setting) is not None:
            problems.append(
                f"claim {name} holds data of {held}, which {now} can't read ({setting}). Nothing was touched. Set the settings back; or "
                f"save the data, give the claim up (`make down`, `kubectl -n {namespace} delete pvc {name}`, `make up`) and load it "
                f"again."
            )
    return problems


def _right_problems(parameters: Mapping[str, Any], cluster: Cluster, *, preview: bool) -> list[str]:
    """What this user may not do there: known before the first object is made, not after the twentieth."""
    verbs, needing = (_LOOKS, "a preview needs") if preview else (_DEPLOYS, "the deployment needs")
    missing: dict[str, list[str]] = {}
    everything: dict[str, bool] = {}
    for group, resource, namespace in parameters["rights"] or ():
        if preview and resource == "namespaces":
            continue  # each was read above, which a right within it is enough for
        if namespace not in everything:
            everything[namespace] = cluster.may("get" if preview else "*", "*", "*", namespace)
        if everything[namespace]:
            continue
        lacking = [verb for verb in verbs if not cluster.may(verb, group, resource, namespace)]
        if lacking:
            where = f" in namespace {namespace}" if namespace else ""
            missing.setdefault(where, []).append(f"{resource}{f'.{group}' if group else ''} ({', '.join(lacking)})")
    return [
        f"this user may not do what {needing}{where}: {'; '.join(what)}. Ask the cluster's administrator for a Role "
        f"with these rights, or use another context."
        for where, what in sorted(missing.items())
    ]


def _refusals(parameters: Mapping[str, Any], cluster: Cluster) -> list[str]:
    """What servers of this stack say for whom waiting can't help: a deployment would only wait for them."""
    found = _found(parameters, cluster, jobs=False)
    return [
        _unwell(w["service"], why, "", parameters)
        for w in parameters["workloads"] or ()
        if not w["job"] and (why := unready(w["service"], False, found)) is not None and why.startswith("!" + REFUSED)
    ]


# ---- paired ----------------------------------------------------------------------------------------------------------


def paired(parameters: Mapping[str, Any], *, preview: bool) -> Sequence[str]:
    """A database keeps the password that it was initialised with: another one would lock everybody out.

    Where a job gives it another, that job's own login opens it as well: only who has neither comes with the secrets of a lost state.
    """
    del preview
    namespace, claim = parameters["namespace"], parameters["claim"]
    try:
        found = reached(parameters).find(f"/api/v1/namespaces/{namespace}/persistentvolumeclaims/{claim}")
    except (Unreachable, Refused) as error:
        return [unreachable(parameters, error)]
    mark = ((found or {}).get("metadata") or {}).get("annotations", {}).get(PAIRED_SECRET)
    if None in (mark, parameters["mark"]) or set(mark.split()) & set(parameters["mark"].split()):
        return []
    hint = f"; {parameters['hint']}" if parameters["hint"] else ""
    if parameters["follows"]:
        return [
            f"claim {claim} was made with other secrets than those at hand: its first password, and the login by which a new one reaches "
            f"its server, are in a state that is not in use here. Nothing was touched. Give the old password back (`pulumi config set "
            f"--secret {parameters['setting']}`{hint}). If it was changed since the claim was made, give the last one and take away the "
            f"claim's mark (`kubectl -n {namespace} annotate pvc {claim} {PAIRED_SECRET}-`): the server itself is asked then. Or save "
            f"the data, then `make purge` and `make up`."
        ]
    return [
        f"claim {claim} was initialised with another password than the one at hand, and its server keeps the first one. Nothing "
        f"was touched. Give the old password back (`pulumi config set --secret {parameters['setting']}`; `pulumi config rm "
        f"{parameters['setting']}` if it was a generated one{hint}), or save the data, then `make purge` and `make up`."
    ]


# ---- after -----------------------------------------------------------------------------------------------------------


def after(parameters: Mapping[str, Any], *, preview: bool) -> Sequence[str]:
    """The health gate: waits until every workload is ready and every job has ended well.

    All are polled at once, and each change in what is waited for is said. What is optional is waited for too, but not for long, and is
    only named if it does not get well. A preview changes nothing, so there is nothing to wait for.
    """
    if preview:
        return []
    from components.engine_log import say, warn

    started = time.monotonic()
    optional = {w["service"] for w in parameters["workloads"] if w["optional"]}
    said: list[str] = []
    while True:
        states, problem = _states(parameters)
        waiting = {name: why for name, why in states.items() if why is not None}
        needed = {name: why for name, why in waiting.items() if name not in optional}
        if problem is None and not waiting:
            return []
        waited = time.monotonic() - started
        late = waited > float(parameters["timeout"])
        hopeless = all(why.startswith("!") for why in waiting.values())
        if problem is None and not needed and (late or waited > _OPTIONAL_SECONDS or hopeless):
            for name, why in sorted(waiting.items()):
                warn(f"{_unwell(name, why, f'{waited:.0f} s', parameters)} Nothing else needs it, so the deployment goes on.")
            return []
        if late and problem is not None:
            return [problem]
        final = {name: why for name, why in needed.items() if why.startswith("!")}
        limit = f"{float(parameters['timeout']):.0f} s (supastack:healthTimeout)"
        if final or late:
            return [_unwell(name, why, limit, parameters) for name, why in sorted((final or needed).items())]
        now = sorted(waiting)
        if now != said:
            say("waiting for " + (", ".join(f"{name} ({waiting[name]})" for name in now) or "the cluster"))
            said = now
        time.sleep(_POLL_SECONDS)


def _states(parameters: Mapping[str, Any]) -> tuple[dict[str, str | None], str | None]:
    """Why each workload is not well yet, and why that can't be told: an API server may be restarting just now."""
    try:
        found = _found(parameters, reached(parameters))
    except (Unreachable, Refused) as error:
        return {}, unreachable(parameters, error)
    workloads = parameters["workloads"]
    return {w["service"]: unready(w["service"], bool(w["job"]), found, operated="operated" in w) for w in workloads}, None


def _found(parameters: Mapping[str, Any], cluster: Cluster, *, jobs: bool = True) -> Found:
    def every(path: str, kind: str, **query: str) -> list[Json]:
        return [
            item
            for namespace in parameters["namespaces"]
            for item in cluster.items(f"{path}/namespaces/{namespace}/{kind}", **query)
        ]

    ours = {"labelSelector": f"{INSTANCE}={parameters['instance']}"}
    poolers = [{"labelSelector": f"{POOLER}={name}"} for name in sorted(_operated(parameters, "pooler"))]
    servers = jobs and _operated(parameters, "server")
    return Found(
        deployments=[d for one in (ours, *poolers) for d in every("/apis/apps/v1", "deployments", **one)],
        stateful_sets=every("/apis/apps/v1", "statefulsets", **ours),
        daemon_sets=every("/apis/apps/v1", "daemonsets", **ours),
        jobs=every("/apis/batch/v1", "jobs", **ours) if jobs else (),
        pods=[pod for one in (ours, *poolers) for pod in every("/api/v1", "pods", **one)],
        events=every("/api/v1", "events", fieldSelector="type=Warning"),
        clusters=every("/apis/postgresql.cnpg.io/v1", "clusters", **ours) if servers else (),
    )


def _operated(parameters: Mapping[str, Any], what: str) -> set[str]:
    """Names of what an operator runs as `what` (`components.plan.Plan.workloads`)."""
    return {w["service"] for w in parameters["workloads"] or () if w.get("operated") == what}


def _unwell(name: str, why: str, waited: str, parameters: Mapping[str, Any]) -> str:
    if why.startswith("!" + REFUSED):
        return f"{name} is not well: {why.removeprefix('!' + REFUSED).strip()}"
    late = "" if why.startswith("!") else f" after {waited}"
    namespace, label = parameters["namespace"], POOLER if name in _operated(parameters, "pooler") else NAME
    return (
        f"{name} is not well{late}: {why.lstrip('!')}. See its log: `kubectl -n {namespace} logs --tail 20 -l "
        f"{label}={name}`; put right what it names and run `up` again."
    )
