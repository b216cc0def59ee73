"""The plugin as the engine sees it: hands each request on, off the event loop, and puts secrets' marks where they belong."""

import asyncio
import json
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from pulumi.provider.experimental import provider as api
from pulumi.provider.experimental.property_value import PropertyValue

from toolchain.plugins.common.errors import InitFailed, UserError
from toolchain.plugins.common.official import Official
from toolchain.plugins.common.values import Properties, has_unknown, plain_map, property_map

from . import check, checkpoint, life, naming, planning, secrecy, settings
from .awaiting import NotReady
from .cluster import Cluster
from .connection import Connection
from .diff import Change
from .host import Host
from .normalize import normalize
from .objects import Object, id_of, split_id, with_metadata, without_nulls
from .operation import Operation
from .prune import prune
from .settings import Settings

_THREADS = 128
"""More than the engine's parallel requests, so that objects that are waited for never hold up others."""

_STEPS = {
    ("add", False): api.PropertyDiffKind.ADD,
    ("add", True): api.PropertyDiffKind.ADD_REPLACE,
    ("delete", False): api.PropertyDiffKind.DELETE,
    ("delete", True): api.PropertyDiffKind.DELETE_REPLACE,
    ("update", False): api.PropertyDiffKind.UPDATE,
    ("update", True): api.PropertyDiffKind.UPDATE_REPLACE,
}

_UNREACHABLE_HINT = (
    "Where its kubeconfig or context has changed, or this is another machine: make up, preview and down follow the settings, while a plain "
    "pulumi begins with the place that the state names"
)

Result = TypeVar("Result")


class KubernetesProvider(api.Provider):
    """Objects of one cluster."""

    def __init__(self, official: Official, host: Host) -> None:
        self._official = official
        self._host = host
        self._connection = Connection(Settings())
        self._cancelled = threading.Event()
        self._seen: set[str] = set()
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="kubernetes")

    async def check_config(self, request: api.CheckRequest) -> api.CheckResponse:
        """Refuse settings that this plugin does not have."""
        found = settings.problems(plain_map(request.new_inputs), self._official.explain())
        return api.CheckResponse(request.new_inputs, [api.CheckFailure("", problem) for problem in found])

    async def diff_config(self, request: api.DiffRequest) -> api.DiffResponse:
        """Compare settings; another cluster replaces everything that is on it."""
        differing, replaces = settings.changed(plain_map(request.old_state), plain_map(request.new_inputs))
        return api.DiffResponse(changes=bool(differing), diffs=differing, replaces=replaces)

    async def configure(self, request: api.ConfigureRequest) -> api.ConfigureResponse:
        """Remember where the cluster is; it is asked when it is first needed."""
        self._connection = Connection(Settings.of(plain_map(request.args)))
        return api.ConfigureResponse(accept_secrets=True, supports_preview=True)

    async def get_schema(self, request: api.GetSchemaRequest) -> api.GetSchemaResponse:
        """A bare schema: programs bring the official package's own types."""
        del request
        return api.GetSchemaResponse(json.dumps({"name": self._official.name, "version": self._official.version}))

    async def invoke(self, request: api.InvokeRequest) -> api.InvokeResponse:
        """Refuse every function by name."""
        raise UserError(f"{request.tok} is a function that this plugin does not have. {self._official.explain()}")

    async def check(self, request: api.CheckRequest) -> api.CheckResponse:
        """Refuse what can't be right; fill in name and namespace."""
        token = self._token(request.type)
        whole = {**property_map(check.identified({}, token)), **request.new_inputs}
        self._seen |= secrecy.elsewhere(secrecy.texts(whole))
        given, old = _plain(request.new_inputs), _plain(request.old_inputs)
        found = check.problems(given, self._official.explain())
        if found:
            # No property is named: the engine would print its value, which may hold a secret.
            return api.CheckResponse(request.new_inputs, [api.CheckFailure("", problem) for problem in found])
        item = naming.named(normalize(check.identified(given, token)), old, request.name, request.random_seed)
        item = await self._in_thread(lambda: planning.placed(item, self._connection))
        return api.CheckResponse(secrecy.marked(item, request.new_inputs))

    async def diff(self, request: api.DiffRequest) -> api.DiffResponse:
        """Compare the last state with the inputs."""
        self._token(request.type)
        item, state = _plain(request.new_inputs), _plain(request.old_state)
        plan = await self._in_thread(lambda: planning.plan(state, item, request.ignore_changes, self._connection))
        return api.DiffResponse(
            changes=bool(plan.changes or plan.replaces),
            replaces=plan.replaces,
            delete_before_replace=plan.delete_first,
            detailed_diff={path: _step(change) for path, change in plan.changes.items()},
        )

    async def create(self, request: api.CreateRequest) -> api.CreateResponse:
        """Make the object; in a preview have the API server say what it would make."""
        self._token(request.type)
        item = _plain(request.properties)
        manager = naming.field_manager({}, item)

        def work(op: Operation) -> Object:
            do = life.preview_create if request.preview else life.create
            return do(op, item, manager)

        if request.preview:
            if has_unknown(item) or not await self._can_preview(request.urn):
                return api.CreateResponse(None, request.properties)
            try:
                live = await self._run(request.urn, request.timeout, (request.properties,), work)
            except life.NoPreviewError:
                return api.CreateResponse(None, request.properties)
            live = {key: value for key, value in live.items() if key != "status"}
            return api.CreateResponse(None, _state(item, live, request.properties, str(item.get("apiVersion")), manager))
        try:
            live = await self._run(request.urn, request.timeout, (request.properties,), work)
        except NotReady as error:
            properties = _state(item, error.live, request.properties, str(item.get("apiVersion")), manager)
            raise InitFailed(id_of(error.live), properties, error.reasons) from error
        return api.CreateResponse(id_of(live), _state(item, live, request.properties, str(item.get("apiVersion")), manager))

    async def read(self, request: api.ReadRequest) -> api.ReadResponse:
        """Ask the cluster what became of the object; an empty id says that it is gone."""
        token = self._token(request.type)
        state, inputs = _plain(request.properties), normalize(_plain(request.inputs))
        if await self._in_thread(self._connection.cluster) is None:
            return self._unreachable_read(request.urn)
        namespace, name = split_id(request.resource_id)
        _, old_live = checkpoint.inputs_and_live(state)
        imported = not inputs and not old_live
        known = check.identified(old_live or inputs, token)
        asked = {"apiVersion": known["apiVersion"], "kind": known["kind"], "metadata": {"name": name, "namespace": namespace}}
        manager = naming.field_manager(state, inputs)
        api_version = str(state.get(naming.INITIAL_API_VERSION) or asked["apiVersion"])
        sources = (request.properties, request.inputs)

        def answer(live: Mapping[str, Any]) -> tuple[dict[str, PropertyValue], dict[str, PropertyValue]]:
            shape = inputs or {"apiVersion": "", "kind": "", "metadata": {"name": "", "namespace": ""}}
            found = checkpoint.without_server_fields(live) if imported else prune(live, shape)
            return _state(found, live, request.inputs, api_version, manager), secrecy.marked(found, request.inputs)

        try:
            asked_with_notes = {**inputs, **asked, "metadata": {**(inputs.get("metadata") or {}), **asked["metadata"]}}
            live = await self._run(request.urn, 0, sources, lambda op: life.read(op, asked_with_notes, look=not imported))
        except NotReady as error:
            properties, found = answer(error.live)
            raise InitFailed(request.resource_id, properties, error.reasons, found) from error
        if live is None:
            return api.ReadResponse(resource_id="")
        return api.ReadResponse(request.resource_id or id_of(live), *answer(live))

    async def update(self, request: api.UpdateRequest) -> api.UpdateResponse:
        """Apply the inputs; in a preview have the API server say what would become of the object."""
        self._token(request.type)
        state, item = _plain(request.olds), normalize(_plain(request.news))
        old_inputs, live = checkpoint.inputs_and_live(state)
        manager = naming.field_manager(state, item)
        before = naming.field_manager(state, old_inputs)
        api_version = str(state.get(naming.INITIAL_API_VERSION) or item.get("apiVersion"))
        ignored = request.ignore_changes
        sources = (request.olds, request.news)
        if request.preview:
            if has_unknown(item) or not await self._can_preview(request.urn):
                return api.UpdateResponse(request.news)
            try:
                new = await self._run(
                    request.urn, request.timeout, sources, lambda op: life.preview_update(op, live, item, manager, ignored)
                )
            except life.NoPreviewError:
                return api.UpdateResponse(request.news)
            return api.UpdateResponse(_state(item, new, request.news, api_version, manager))
        try:
            new = await self._run(
                request.urn, request.timeout, sources, lambda op: life.update(op, live, item, manager, ignored, before)
            )
        except NotReady as error:
            properties = _state(item, error.live, request.news, api_version, manager)
            raise InitFailed(request.resource_id, properties, error.reasons) from error
        return api.UpdateResponse(_state(item, new, request.news, api_version, manager))

    async def delete(self, request: api.DeleteRequest) -> None:
        """Remove the object."""
        self._token(request.type)
        state = _plain(request.properties)
        inputs, live = checkpoint.inputs_and_live(state)
        if self._connection.settings.delete_unreachable and await self._in_thread(self._connection.cluster) is None:
            self._host.warn(request.urn, f"the cluster can't be reached ({self._connection.reason}): removed from the state only")
            return
        if not live:
            namespace, name = split_id(request.resource_id)
            live = with_metadata(check.identified({}, self._token(request.type)), name=name, namespace=namespace)
        try:
            await self._run(request.urn, request.timeout, (request.properties,), lambda op: life.delete(op, inputs, live))
        except NotReady as error:
            manager, version = naming.field_manager(state, inputs), str(state.get(naming.INITIAL_API_VERSION) or "")
            properties = _state(inputs, error.live, request.properties, version, manager)
            raise InitFailed(request.resource_id, properties, error.reasons) from error

    async def cancel(self) -> None:
        """End every wait; what was made so far is reported with its id."""
        self._cancelled.set()

    def _token(self, token: str) -> str:
        # The URN of a component's child holds the types of its parents too.
        token = token.rpartition("$")[2]
        check.refuse_type(token, self._official.explain())
        return token

    async def _can_preview(self, urn: str) -> bool:
        """Whether the API server can be asked; where it can't, the user is told once."""
        if await self._in_thread(self._connection.cluster) is not None:
            return True
        reason = self._connection.warn_once()
        if reason:
            self._host.warn(urn, f"the cluster can't be reached, so the preview is made without it: {reason}")
        return False

    def _unreachable_read(self, urn: str) -> api.ReadResponse:
        reason = self._connection.reason
        if self._connection.settings.delete_unreachable:
            self._host.warn(urn, f"the cluster can't be reached ({reason}): removed from the state only")
            return api.ReadResponse(resource_id="")
        raise UserError(f"the Kubernetes cluster can't be reached: {reason}. {_UNREACHABLE_HINT}")

    async def _run(
        self, urn: str, seconds: float, sources: tuple[Properties, ...], work: Callable[[Operation], Result]
    ) -> Result:
        """Do `work` in a thread, with an operation on the cluster."""
        if self._cancelled.is_set():
            raise UserError("cancelled before it began; nothing was done")
        hidden = secrecy.texts(*sources) | self._seen

        def in_thread() -> Result:
            cluster = self._connection.cluster()
            if cluster is None:
                raise UserError(f"the Kubernetes cluster can't be reached: {self._connection.reason}. {_UNREACHABLE_HINT}")
            return work(self._operation(cluster, urn, seconds, hidden))

        return await self._in_thread(in_thread)

    def _operation(self, cluster: Cluster, urn: str, seconds: float, hidden: frozenset[str]) -> Operation:
        return Operation(cluster, self._connection.settings, self._host, urn, self._cancelled, seconds, hidden)

    async def _in_thread(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)


def _plain(properties: Properties) -> Object:
    found: Object = without_nulls(plain_map(properties))
    return found


def _state(
    inputs: Mapping[str, Any], live: Mapping[str, Any], source: Properties, api_version: str, manager: str
) -> dict[str, PropertyValue]:
    return secrecy.marked(checkpoint.state_of(inputs, live, api_version, manager), source)


def _step(change: Change) -> api.PropertyDiff:
    # What is removed is looked up in the old inputs (provider.go, addPatchValueToDiff).
    return api.PropertyDiff(_STEPS[change.kind, change.replaces], input_diff=change.kind == "delete")
