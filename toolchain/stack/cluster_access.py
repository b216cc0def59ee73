"""The Kubernetes cluster of a stack as the toolchain sees it: namespaces, workloads, pods and claims, through the API."""

import contextlib
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.targets.kubernetes.logs_namespace import logs_namespace
from toolchain.announce import fail, note
from toolchain.cluster.cluster import default_folder, find, up
from toolchain.context import Context
from toolchain.plugins.common.errors import UserError
from toolchain.plugins.kubernetes import kubeconfig
from toolchain.plugins.kubernetes.client import ApiError, Client
from toolchain.stack.config import project_name
from toolchain.stack.state import StackState

INSTANCE = "app.kubernetes.io/instance"
NAME = "app.kubernetes.io/name"
POOLER = "cnpg.io/poolerName"
"""Label of all that CloudNativePG makes of a Pooler: its name. Its other labels are the operator's own, too."""
COMPONENT = "app.kubernetes.io/component"
STACK_ID = "supastack.io/stack-id"
"""Annotation on every object: whose it is."""

_NOT_FOUND = 404
_GONE_SECONDS = 300.0

OWN_CLUSTER = (
    "Name the stack's own cluster again (kubernetes.kubeconfig or KUBECONFIG, kubernetes.context); another one is another stack."
)

Json = dict[str, Any]


@dataclass(frozen=True)
class Place:
    """Where a stack is: a context of a kubeconfig."""

    kubeconfig: Path
    context: str
    namespace: str


def instance_of(context: Context) -> str:
    """What the label `app.kubernetes.io/instance` of the stack's objects says."""
    return f"{project_name(context.root)}-{context.stack}"


def place_of(context: Context, state: StackState) -> Place:
    """Where a stack's state says that it is. Raises ToolchainError where it says nothing."""
    given = state.cluster
    if "kubeconfig" not in given:
        fail(f"the state of stack {context.stack} names no kubeconfig: `make up` writes it")
    path = context.root / Path(given["kubeconfig"]).expanduser()
    return Place(path, given.get("context", ""), given.get("namespace", ""))


class Access:
    """The API of one cluster."""

    def __init__(self, client: Client, place: Place) -> None:
        self.client = client
        self.place = place

    def find(self, path: str) -> Json | None:
        """The object at a path; None where there is none."""
        try:
            return dict(self.client.request("GET", path))
        except ApiError as error:
            if error.code == _NOT_FOUND:
                return None
            raise

    def items(self, path: str, **query: str) -> list[Json]:
        """All objects of a list."""
        return list(self.client.request("GET", path, query=query).get("items") or [])

    def those(self, path: str) -> list[Json]:
        """All objects of a list; none where the cluster has no such kind, or this user has no business with it."""
        try:
            return self.items(path)
        except ApiError as error:
            if error.code == _NOT_FOUND or error.is_forbidden:
                return []
            raise

    def of_stack(self, kinds: str, instance: str) -> list[Json]:
        """A stack's objects of a kind, as `/apis/apps/v1/deployments`, in all its namespaces."""
        return self.items(kinds, labelSelector=f"{INSTANCE}={instance}")

    @property
    def own(self) -> tuple[str, ...]:
        """Names of the namespaces that the settings mean: the stack's, and the one of what reads logs."""
        own = self.place.namespace
        return (own, logs_namespace(own)) if own else ()

    def namespaces(self, stack_id: str, instance: str) -> list[str]:
        """Names of the namespaces that a stack has made.

        The id alone does not tell whose one is: a copied stack file takes its `stackId` along. `instance`: `<project>-<stack>`, as
        their label has it; one that the settings or the state name is the stack's in any case.
        """
        try:
            found = self.items("/api/v1/namespaces")
        except ApiError as error:
            if not error.is_forbidden or not self.own:
                raise
            # Who may not list them all may look at those that a stack has.
            found = [n for name in self.own if (n := self.find(f"/api/v1/namespaces/{name}")) is not None]
        carrying = [n["metadata"] for n in found if (n["metadata"].get("annotations") or {}).get(STACK_ID) == stack_id]
        return sorted(n["name"] for n in carrying if n["name"] in self.own or (n.get("labels") or {}).get(INSTANCE) == instance)

    def claims(self, namespace: str) -> list[str]:
        """Names of the claims in a namespace."""
        return sorted(c["metadata"]["name"] for c in self.items(f"/api/v1/namespaces/{namespace}/persistentvolumeclaims"))

    def remove(self, path: str) -> None:
        """Removes an object, what it has made with it; one that is gone already is no problem."""
        try:
            self.client.request("DELETE", path, query={"propagationPolicy": "Background"})
        except ApiError as error:
            if error.code != _NOT_FOUND:
                raise

    def make(self, path: str, body: Json) -> None:
        """Makes an object; `path` is its list's."""
        self.client.request("POST", path, body=body)

    def wait_gone(self, what: Mapping[str, str]) -> None:
        """Waits until objects are gone that were removed. Raises ToolchainError where one does not go.

        `what`: the UID of each by its path; another one of the same name is not waited for.
        """
        ends = time.monotonic() + _GONE_SECONDS
        for path, uid in what.items():
            while (found := self.find(path)) is not None and found["metadata"].get("uid") == uid:
                if time.monotonic() > ends:
                    waits = ", ".join(found["metadata"].get("finalizers") or ()) or "nothing that it names"
                    fail(f"{path} is still there {_GONE_SECONDS:.0f} s after its removal: it waits for {waits}")
                time.sleep(1)

    def remove_namespace(self, name: str) -> None:
        """Removes a namespace with all that is in it, and waits until it is gone. Raises ToolchainError where it does not go."""
        path = f"/api/v1/namespaces/{name}"
        with contextlib.suppress(ApiError):
            self.client.request("DELETE", path)
        ends = time.monotonic() + _GONE_SECONDS
        while (found := self.find(path)) is not None:
            if time.monotonic() > ends:
                conditions = (found.get("status") or {}).get("conditions") or ()
                why = "; ".join(c.get("message", "") for c in conditions if c.get("status") == "True")
                fail(f"namespace {name} is still there after {_GONE_SECONDS:.0f} s: {why or 'no reason is given'}")
            time.sleep(1)


@contextmanager
def connect(place: Place) -> Iterator[Access]:
    """The cluster at a place. Raises ToolchainError where it does not answer, also for what goes wrong while it is in use."""
    try:
        yield Access(Client(kubeconfig.access(str(place.kubeconfig), place.context)), place)
    except (UserError, ApiError) as error:
        fail(f"the cluster of context {place.context} in {place.kubeconfig} can't do what was asked: {error}")


def is_own(context: Context, place: Place) -> bool:
    """Whether the cluster is the one of this clone (`make cluster`)."""
    return place.kubeconfig == default_folder(context) / "kubeconfig"


def ensure_running(context: Context, place: Place) -> None:
    """Start the cluster where it is the one of this clone. Any other one is its owner's to start."""
    folder = default_folder(context)
    if is_own(context, place) and find(folder) is None:
        up(context, folder)


def bring_images(context: Context, place: Place, references: list[str]) -> None:
    """Bring images that were built here into the cluster, where it is one of ours; into another one whoever runs it brings them."""
    if not references:
        return
    ours = find(place.kubeconfig.parent)
    if ours is None or ours.kubeconfig.resolve() != place.kubeconfig.resolve():
        note(f"images: the nodes of context {place.context} must have {', '.join(references)} already: they were built here")
        return
    ours.import_images(references, {**os.environ, **context.env})


def refuse_another(access: Access, state: StackState | None) -> None:
    """Fail where the stack's namespaces are not the ones in this cluster: its kubeconfig or context names another cluster now.

    Without its objects the engine would make them anew there, empty, and the old ones would be nobody's.
    """
    at = state.cluster if state else {}
    for name, uid in (state.namespaces if state else {}).items():
        found = access.find(f"/api/v1/namespaces/{name}")
        if uid and found is not None and found["metadata"].get("uid") != uid:
            fail(
                f"namespace {name} in context {access.place.context} is not the one that this stack made: that is another cluster, or the "
                f"namespace was deleted and made again. The state names context {at.get('context')} of {at.get('kubeconfig')}.\n"
                f"  {OWN_CLUSTER}"
            )
