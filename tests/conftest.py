"""Fixtures of all tests: a program under a mocked engine, in both modes, with every request and option recorded."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import hypothesis
import pulumi
import pytest
from google.protobuf.json_format import MessageToDict
from pulumi.runtime.mocks import MockMonitor

# On a machine that does other things too the time of an example says nothing of it. Test modules that are imported later start from this.
hypothesis.settings.register_profile("busy", deadline=None)
hypothesis.settings.load_profile("busy")

# The SDK's marker of a wrapped value, and the one that means secret.
MARKER = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"

GENERATED = {"random:index/randomPassword:RandomPassword": "result", "random:index/randomId:RandomId": "hex"}


_TRACEBACK_LIMIT = getattr(sys, "tracebacklimit", None)


@pytest.fixture(autouse=True)
def _tracebacks_are_whole() -> Iterator[None]:
    """Our dynamic providers cut them in their own process, which here is the tests' (the SDK itself reads its callers from them)."""
    _restore_tracebacks()
    yield
    _restore_tracebacks()


def _restore_tracebacks() -> None:
    if _TRACEBACK_LIMIT is not None:
        sys.tracebacklimit = _TRACEBACK_LIMIT
    elif hasattr(sys, "tracebacklimit"):
        del sys.tracebacklimit


class Mocks(pulumi.runtime.Mocks):
    """Answers as the providers would; generated values are secret where the provider's are."""

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        state = dict(args.inputs)
        if args.typ == "random:index/randomPassword:RandomPassword":
            state["result"] = pulumi.Output.secret(f"generated-{args.name}")
        if args.typ == "random:index/randomId:RandomId":
            state["hex"] = "0123456789abcdef"
        if args.typ == "docker:index/remoteImage:RemoteImage":
            state["imageId"] = f"sha256:{args.inputs['name']}"
        state.setdefault("name", args.name)
        return f"{args.name}-id", state

    def call(self, args: pulumi.runtime.MockCallArgs) -> Any:
        raise AssertionError(f"unexpected invoke {args.token}")


class Recorder(MockMonitor):
    """Mocks do not see resource options; the raw requests do."""

    def __init__(self, mocks: Mocks) -> None:
        super().__init__(mocks)
        self.requests: dict[str, Any] = {}
        self.reads: dict[str, Any] = {}
        self.outputs: dict[str, dict[str, Any]] = {}

    def RegisterResource(self, request: Any) -> Any:
        reply = super().RegisterResource(request)
        self.requests[request.name] = request
        return reply

    def ReadResource(self, request: Any) -> Any:
        reply = super().ReadResource(request)
        self.reads[request.name] = request
        return reply

    def RegisterResourceOutputs(self, request: Any) -> Any:
        self.outputs[request.urn.rsplit("::", 1)[-1]] = MessageToDict(request.outputs)
        return super().RegisterResourceOutputs(request)

    def inputs(self, name: str) -> dict[str, Any]:
        """Inputs of a resource as they went over the wire, secrets still wrapped."""
        return MessageToDict(self.requests[name].object)

    def of_type(self, token: str) -> dict[str, Any]:
        """All requests of a type, by name."""
        return {name: r for name, r in self.requests.items() if r.type == token}


def holders_of(needle: str, value: Any, inside: str = "plain") -> set[str]:
    """Whether `needle` occurs under a secret marker (`secret`), outside one (`plain`), or both."""
    if isinstance(value, dict):
        inside = "secret" if value.get(MARKER) == SECRET else inside
        value = list(value.values())
    if isinstance(value, list):
        return set().union(*(holders_of(needle, v, inside) for v in value))
    return {inside} if isinstance(value, str) and needle in value else set()


def unwrapped(value: Any) -> Any:
    """The value with its secret markers taken off."""
    if isinstance(value, dict):
        if value.get(MARKER) == SECRET:
            return unwrapped(value["value"])
        return {k: unwrapped(v) for k, v in value.items()}
    if isinstance(value, list):
        return [unwrapped(v) for v in value]
    return value


@pytest.fixture(params=[False, True], ids=["up", "preview"])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Callable[[], Any]], Recorder]]:
    """Runs a program under mocks: once as an up, once as a preview."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    recorder = Recorder(Mocks())
    pulumi.runtime.set_mocks(recorder.mocks, project="supastack", stack="dev", preview=request.param, monitor=recorder)

    later: list[Callable[[], Awaitable[None]]] = []
    monkeypatch.setattr(pulumi, "run", later.append)  # the mocks' root stack is finished, and takes none

    def build(program: Callable[[], Any]) -> Recorder:
        async def asynchronous() -> None:
            while later:
                await later.pop()()

        def whole() -> Awaitable[None]:
            program()
            return asynchronous()

        pulumi.runtime.test(whole)()  # returns only when every registration has landed
        return recorder

    build.recorder = recorder
    yield build
    loop.close()
    asyncio.set_event_loop(None)
