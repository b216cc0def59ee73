"""The plugin as the engine sees it: hands each request to the resource type's module, off the event loop."""

import asyncio
import importlib
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, TypeVar, cast

from pulumi.provider.experimental import provider as api
from pulumi.provider.experimental.property_value import PropertyValue

from toolchain.plugins.common.errors import InitFailed, UserError
from toolchain.plugins.common.official import Official
from toolchain.plugins.common.values import (
    UNKNOWN,
    Properties,
    has_unknown,
    plain_map,
    property_map,
    secret_strings,
    to_property,
    with_secrets_of,
)

from . import check, diff
from .fields import ResourceType
from .schema import CONTAINER, IMAGE, NETWORK, PROVIDER, RESOURCE_TYPES, VOLUME

_THREADS = 128
"""More than the engine's parallel requests, so that containers that are waited for never hold up others."""

_MODULES = {NETWORK.token: "network", VOLUME.token: "volume", IMAGE.token: "image", CONTAINER.token: "container"}

_JSON_SETTINGS = ("disableDockerDaemonCheck", "registryAuth", "sshOpts")
"""Settings that are not text come as JSON (pulumi_docker, provider.py)."""

_ENGINES_OWN = ("version", "pluginDownloadURL", "__internal")

_META = "__meta"
"""The output in which the bridge keeps the version of the form of the state (pulumi-terraform-bridge, schema.go, metaKey)."""

_STEPS = {
    ("add", False): api.PropertyDiffKind.ADD,
    ("add", True): api.PropertyDiffKind.ADD_REPLACE,
    ("delete", False): api.PropertyDiffKind.DELETE,
    ("delete", True): api.PropertyDiffKind.DELETE_REPLACE,
    ("update", False): api.PropertyDiffKind.UPDATE,
    ("update", True): api.PropertyDiffKind.UPDATE_REPLACE,
}

State = dict[str, Any]
Result = TypeVar("Result")


class Life(Protocol):
    """What the module of a resource type has. Every function may take long and may raise UserError."""

    def create(self, operation: Any, inputs: Mapping[str, Any]) -> tuple[str, State]:
        """Make it; its id and state. Raises InitFailed when it is there and not ready."""

    def read(self, operation: Any, resource_id: str, known: Mapping[str, Any]) -> tuple[str, State] | None:
        """Its id and state now, or None when it is gone."""

    def update(self, operation: Any, resource_id: str, state: Mapping[str, Any], inputs: Mapping[str, Any]) -> State:
        """Carry out what can be changed in place."""

    def delete(self, operation: Any, resource_id: str, state: Mapping[str, Any]) -> None:
        """Remove it; fine when it is gone already."""


class DockerProvider(api.Provider):
    """Network, Volume, RemoteImage and Container on one daemon."""

    def __init__(self, official: Official) -> None:
        self._official = official
        self._settings: dict[str, Any] = {}
        self._cancelled = threading.Event()
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="docker")

    async def check_config(self, request: api.CheckRequest) -> api.CheckResponse:
        """Refuse settings that this plugin does not know."""
        found = check.problems(PROVIDER, _settings(request.new_inputs), self._official.explain())
        return api.CheckResponse(request.new_inputs, [api.CheckFailure("", problem) for problem in found])

    async def configure(self, request: api.ConfigureRequest) -> api.ConfigureResponse:
        """Remember where the daemon is; it is asked when it is first needed."""
        self._settings = {key: value for key, value in _settings(request.args).items() if not has_unknown(value)}
        return api.ConfigureResponse(accept_secrets=True, supports_preview=True)

    async def get_schema(self, request: api.GetSchemaRequest) -> api.GetSchemaResponse:
        """A bare schema: programs bring the official package's own types."""
        del request
        return api.GetSchemaResponse(json.dumps({"name": self._official.name, "version": self._official.version}))

    async def invoke(self, request: api.InvokeRequest) -> api.InvokeResponse:
        """Refuse every function by name."""
        raise UserError(f"{request.tok} is a function that this plugin does not have. {self._official.explain()}")

    async def check(self, request: api.CheckRequest) -> api.CheckResponse:
        """Refuse what can't be right and fill in defaults; secrets stay marked where they stand."""
        kind = self._kind(request.type)
        inputs = plain_map(request.new_inputs)
        found = check.problems(kind, inputs, self._official.explain())
        if found:
            # No property is named: the engine would print its value, which may hold a secret.
            return api.CheckResponse(request.new_inputs, [api.CheckFailure("", problem) for problem in found])
        checked = {
            key: _filled(request.new_inputs[key], check.fill_nested(kind.fields[key], value)) for key, value in inputs.items()
        }
        added = check.fill(kind, inputs, plain_map(request.old_inputs), request.name, request.random_seed)
        return api.CheckResponse({**checked, **property_map(added)})

    async def diff(self, request: api.DiffRequest) -> api.DiffResponse:
        """Compare the last state with the inputs."""
        kind = self._kind(request.type)
        inputs = plain_map(request.new_inputs)
        found = diff.changes(kind, plain_map(request.old_state), inputs, request.ignore_changes)
        replaces = [key for key, change in found.items() if change.replaces]
        return api.DiffResponse(
            changes=bool(found),
            replaces=replaces,
            delete_before_replace=bool(replaces) and (kind.delete_before_replace or check.has_fixed_name(kind, inputs)),
            diffs=list(found),
            detailed_diff={
                key: api.PropertyDiff(_STEPS[change.kind, change.replaces], input_diff=False) for key, change in found.items()
            },
        )

    async def create(self, request: api.CreateRequest) -> api.CreateResponse:
        """Make the resource; in a preview say what is known of it beforehand."""
        kind = self._kind(request.type)
        inputs = _without_notes(plain_map(request.properties))
        if request.preview:
            unknown = {
                key: UNKNOWN
                for key, declared in kind.fields.items()
                if (declared.output_only or declared.computed) and key not in inputs
            }
            return api.CreateResponse(None, _marked(kind, {**unknown, **inputs}, request.properties))
        resource_id, state = await self._run(kind, [request.properties], lambda life, operation: life.create(operation, inputs))
        return api.CreateResponse(resource_id, _marked(kind, state, request.properties))

    async def read(self, request: api.ReadRequest) -> api.ReadResponse:
        """Ask the daemon what became of the resource; an empty id says that it is gone. The inputs stay what the program gave."""
        kind = self._kind(request.type)
        if not request.properties:
            raise UserError(f"{kind.token} {request.resource_id!r} can't be imported by this plugin. {self._official.explain()}")
        inputs = plain_map(request.inputs)
        # Whether it must run is the program's wish: the state may say false of a container that was found stopped.
        wishes = {key: inputs[key] for key in ("mustRun",) if key in inputs}
        known = {**plain_map(request.properties), **wishes}
        sources = [request.properties, request.inputs]
        found = await self._run(kind, sources, lambda life, operation: life.read(operation, request.resource_id, known))
        if found is None:
            return api.ReadResponse(resource_id="")
        return api.ReadResponse(found[0], _marked(kind, found[1], *sources), request.inputs)

    async def update(self, request: api.UpdateRequest) -> api.UpdateResponse:
        """Carry out what can be changed in place. Where the program says nothing, what the daemon said before stands."""
        kind = self._kind(request.type)
        state, inputs = plain_map(request.olds), _without_notes(plain_map(request.news))
        outputs = {key: value for key, value in state.items() if key in kind.fields and kind.fields[key].output_only}
        computed = {key: value for key, value in state.items() if key in kind.fields and kind.fields[key].computed}
        planned = {**computed, **inputs}
        # Of the old state only what the new inputs don't give counts: an input that is no longer secret becomes readable.
        old_secrets = {key: value for key, value in request.olds.items() if key not in inputs}
        if request.preview:
            return api.UpdateResponse(_marked(kind, {**outputs, **planned}, request.news, old_secrets))
        changed = await self._run(
            kind,
            [request.olds, request.news],
            lambda life, operation: life.update(operation, request.resource_id, state, planned),
        )
        return api.UpdateResponse(_marked(kind, {**outputs, **changed}, request.news, old_secrets))

    async def delete(self, request: api.DeleteRequest) -> None:
        """Remove the resource."""
        state = plain_map(request.properties)
        await self._run(
            self._kind(request.type),
            [request.properties],
            lambda life, operation: life.delete(operation, request.resource_id, state),
        )

    async def cancel(self) -> None:
        """End every wait; what was made so far is reported with its id."""
        self._cancelled.set()

    def _kind(self, token: str) -> ResourceType:
        # The URN of a component's child holds the types of its parents too.
        token = token.rpartition("$")[2]
        if token not in RESOURCE_TYPES:
            known = ", ".join(sorted(name.rpartition(":")[2] for name in RESOURCE_TYPES))
            raise UserError(f"{token} is a type that this plugin does not have; it has {known}. {self._official.explain()}")
        return RESOURCE_TYPES[token]

    async def _run(self, kind: ResourceType, sources: Sequence[Properties], work: Callable[[Life, Any], Result]) -> Result:
        """Do `work` in a thread, with the module of the type and an operation on the daemon."""
        if self._cancelled.is_set():
            raise UserError("cancelled before it began; nothing was done")

        def in_thread() -> Result:
            # Imported here: the docker package is slow to import, and Check and Diff do without it.
            from .client import daemon_of
            from .operation import Operation

            life = cast("Life", importlib.import_module(f".{_MODULES[kind.token]}", __package__))
            return work(life, Operation(daemon_of(self._settings), self._cancelled, secret_strings(*sources)))

        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, in_thread)
        except InitFailed as failed:
            properties = _marked(kind, failed.properties, *sources)
            raise InitFailed(failed.resource_id, properties, failed.reasons) from failed


def _settings(args: Properties) -> dict[str, Any]:
    """The provider's settings, plain."""
    found = {}
    for key, value in plain_map(args).items():
        if key in _ENGINES_OWN:
            continue
        is_json = key in _JSON_SETTINGS and isinstance(value, str) and value != UNKNOWN
        found[key] = json.loads(value) if is_json else value
    return found


def _without_notes(values: Mapping[str, Any]) -> State:
    """Without what check keeps for the next check only."""
    return {key: value for key, value in values.items() if not key.startswith("__")}


def _marked(kind: ResourceType, state: Mapping[str, Any], *sources: Properties) -> dict[str, PropertyValue]:
    """The state on the wire, with everything marked that is secret by its source, or because it is made from a secret."""
    made_from_secrets = {
        key
        for key, declared in kind.fields.items()
        if any(name in source and source[name].contains_secret() for source in sources for name in declared.derives_from)
    }
    notes = {_META: json.dumps({"schema_version": str(kind.schema_version)})} if kind.schema_version else {}
    return with_secrets_of(property_map({**_without_notes(state), **notes}, made_from_secrets), *sources)


def _filled(value: PropertyValue, plain: Any) -> PropertyValue:
    """`plain` on the wire, with the secret marks that `value` has inside; both have the same shape, but for added defaults."""
    raw = value.value
    if isinstance(raw, Mapping) and isinstance(plain, Mapping):
        items = {key: _filled(raw[key], item) if key in raw else to_property(item) for key, item in plain.items()}
        return PropertyValue(items, value.is_secret, value.dependencies)
    if isinstance(raw, tuple | list) and isinstance(plain, list):
        return PropertyValue([_filled(a, b) for a, b in zip(raw, plain, strict=True)], value.is_secret, value.dependencies)
    return value
