"""A stand-in made of a table and a few methods a resource type."""

import asyncio
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from pulumi.provider.experimental import provider as api
from pulumi.provider.experimental.property_value import PropertyValue

from . import check, diff
from .errors import InitFailed, UserError
from .official import Official
from .schema import ResourceType
from .values import UNKNOWN, Plain, Properties, plain_map, property_map, secret_strings, with_secrets_of

State = dict[str, Plain]
_T = TypeVar("_T")

_AT_ONCE = 64
"""Operations that may run at the same time; the engine decides how many it asks for (`--parallel`)."""

_OF_THE_ENGINE = frozenset({"version", "pluginDownloadURL"})
"""Settings of every provider that are the engine's own."""

_CHANGE_KINDS = {
    ("add", False): api.PropertyDiffKind.ADD,
    ("add", True): api.PropertyDiffKind.ADD_REPLACE,
    ("delete", False): api.PropertyDiffKind.DELETE,
    ("delete", True): api.PropertyDiffKind.DELETE_REPLACE,
    ("update", False): api.PropertyDiffKind.UPDATE,
    ("update", True): api.PropertyDiffKind.UPDATE_REPLACE,
}


@dataclass(frozen=True)
class Call:
    """One operation.

    Attributes:
        cancelled: set when the engine wants to stop; whatever waits ends then.
        timeout: seconds that the program allows for it (`custom_timeouts`); 0 where it says nothing.
        secrets: texts that must not stand in a message.
    """

    cancelled: threading.Event
    timeout: float = 0
    secrets: frozenset[str] = frozenset()


class Resource(ABC):
    """The life of one resource type. All values are plain (see `values`); secrets are marked by StandIn.

    The methods that take a Call run in a thread of their own and may block. All may raise UserError; create, read and update also
    InitFailed.
    """

    kind: ResourceType

    def plan(self, inputs: State, state: State | None) -> State:
        """What the state will hold of `inputs`: what Diff compares and a preview shows. `state` is None for a new one. Pure."""
        del state
        return diff.with_defaults(self.kind, inputs)

    @abstractmethod
    def create(self, call: Call, inputs: State) -> tuple[str, State]:
        """Make it; its id and outputs."""

    @abstractmethod
    def read(self, call: Call, resource_id: str, state: State, inputs: State) -> tuple[str, State, State] | None:
        """Its id, outputs and inputs now, or None when it is gone. `state` and `inputs` are empty for an import."""

    @abstractmethod
    def update(self, call: Call, resource_id: str, state: State, inputs: State) -> State:
        """Carry out what can be changed in place; its outputs."""

    @abstractmethod
    def delete(self, call: Call, resource_id: str, state: State) -> None:
        """Remove it; fine when it is gone already."""


class StandIn(api.Provider):
    """Serves resource types from their tables. A type or field that is not in them is refused by name."""

    def __init__(self, official: Official, resources: Iterable[Resource]) -> None:
        self._official = official
        self._resources: Mapping[str, Resource] = {resource.kind.token: resource for resource in resources}
        self._cancelled = threading.Event()
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="operation")

    async def check_config(self, request: api.CheckRequest) -> api.CheckResponse:
        """The provider's own settings: none are known."""
        config = ResourceType(f"pulumi:providers:{self._official.name}", {})
        settings = {key: value for key, value in plain_map(request.new_inputs).items() if key not in _OF_THE_ENGINE}
        found = check.problems(self._official, config, settings)
        return api.CheckResponse(request.new_inputs, [api.CheckFailure("", problem) for problem in found])

    async def configure(self, request: api.ConfigureRequest) -> api.ConfigureResponse:
        """Secrets are taken as such, so that what is made from them can be marked."""
        del request
        return api.ConfigureResponse(accept_secrets=True, supports_preview=True)

    async def check(self, request: api.CheckRequest) -> api.CheckResponse:
        """All problems of the inputs at once."""
        inputs = {key: value for key, value in request.new_inputs.items() if value.value is not None}
        found = check.problems(self._official, self._resource(request.type).kind, plain_map(inputs))
        return api.CheckResponse(inputs, [api.CheckFailure("", problem) for problem in found])

    async def diff(self, request: api.DiffRequest) -> api.DiffResponse:
        """Differences between the state and the plan."""
        resource = self._resource(request.type)
        state = plain_map(request.old_state)
        found = diff.changes(resource.kind, state, resource.plan(plain_map(request.new_inputs), state))
        replaces = [key for key, change in found.items() if change.replaces]
        return api.DiffResponse(
            changes=bool(found),
            replaces=replaces,
            diffs=list(found),
            detailed_diff={
                key: api.PropertyDiff(_CHANGE_KINDS[change.kind, change.replaces], input_diff=False)
                for key, change in found.items()
            },
        )

    async def create(self, request: api.CreateRequest) -> api.CreateResponse:
        """Create, or in a preview the plan with unknown outputs."""
        resource = self._resource(request.type)
        inputs = plain_map(request.properties)
        if request.preview:
            outputs = _unknown_outputs(resource.kind) | resource.plan(inputs, None)
            return api.CreateResponse(None, _marked(resource.kind, outputs, request.properties))
        call = self._call(request.timeout, request.properties)
        resource_id, outputs = await self._run(resource.kind, (request.properties,), lambda: resource.create(call, inputs))
        return api.CreateResponse(resource_id, _marked(resource.kind, outputs, request.properties))

    async def read(self, request: api.ReadRequest) -> api.ReadResponse:
        """Refresh or import."""
        resource = self._resource(request.type)
        state, inputs = plain_map(request.properties), plain_map(request.inputs)
        call = self._call(0, request.properties, request.inputs)
        sources = (request.properties, request.inputs)
        found = await self._run(resource.kind, sources, lambda: resource.read(call, request.resource_id, state, inputs))
        if found is None:
            return api.ReadResponse()
        resource_id, outputs, new_inputs = found
        return api.ReadResponse(
            resource_id,
            _marked(resource.kind, outputs, *sources),
            with_secrets_of(property_map(new_inputs), request.inputs),
        )

    async def update(self, request: api.UpdateRequest) -> api.UpdateResponse:
        """Update in place, or in a preview the plan with the outputs as they are."""
        resource = self._resource(request.type)
        state, inputs = plain_map(request.olds), plain_map(request.news)
        outputs_only = {key for key, declared in resource.kind.fields.items() if declared.output_only}
        if request.preview:
            kept = {key: value for key, value in state.items() if key in outputs_only or key.startswith("__")}
            outputs = kept | resource.plan(inputs, state)
        else:
            call = self._call(request.timeout, request.olds, request.news)
            outputs = await self._run(
                resource.kind,
                (request.news,),
                lambda: resource.update(call, request.resource_id, state, inputs),
            )
        # Of the old state only the outputs' secrets count: an input that is no longer secret becomes readable.
        old_outputs = {key: value for key, value in request.olds.items() if key in outputs_only}
        return api.UpdateResponse(_marked(resource.kind, outputs, request.news, old_outputs))

    async def delete(self, request: api.DeleteRequest) -> None:
        """Delete."""
        resource = self._resource(request.type)
        state = plain_map(request.properties)
        call = self._call(request.timeout, request.properties)
        await self._run(resource.kind, (), lambda: resource.delete(call, request.resource_id, state))

    async def cancel(self) -> None:
        """Make all operations that wait end."""
        self._cancelled.set()

    async def invoke(self, request: api.InvokeRequest) -> api.InvokeResponse:
        """No functions are known."""
        raise UserError(f"{request.tok} is a function that this plugin does not have. {self._official.explain()}")

    def _resource(self, token: str) -> Resource:
        # The URN of a component's child holds the types of its parents too.
        token = token.rpartition("$")[2]
        resource = self._resources.get(token)
        if resource is None:
            known = ", ".join(sorted(name.rpartition(":")[2] for name in self._resources))
            raise UserError(f"{token} is a type that this plugin does not have; it has {known}. {self._official.explain()}")
        return resource

    def _call(self, timeout: float, *sources: Properties) -> Call:
        return Call(self._cancelled, timeout, secret_strings(*sources))

    async def _run(self, kind: ResourceType, sources: tuple[Properties, ...], work: Callable[[], _T]) -> _T:
        if self._cancelled.is_set():
            raise UserError("cancelled before it began; nothing was done")
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        except InitFailed as failed:
            properties = _marked(kind, failed.properties, *sources)
            inputs = None if failed.inputs is None else with_secrets_of(property_map(failed.inputs), *sources)
            raise InitFailed(failed.resource_id, properties, failed.reasons, inputs) from failed


def _unknown_outputs(kind: ResourceType) -> State:
    return {key: UNKNOWN for key, declared in kind.fields.items() if declared.output_only}


def _marked(kind: ResourceType, outputs: Mapping[str, Any], *sources: Properties) -> dict[str, PropertyValue]:
    """`outputs` with everything marked that is secret by the table, by its source or by its name."""
    secret = {
        key
        for key, declared in kind.fields.items()
        if declared.secret or any(key in s and s[key].contains_secret() for s in sources for key in declared.derives_from)
    }
    return with_secrets_of(property_map(outputs, secret), *sources)
