"""`make smoke`: asks a stack by its outputs, prints a line for each check."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from toolchain import setup
from toolchain.announce import fail, note
from toolchain.context import Context
from toolchain.smoke import checks
from toolchain.smoke.result import Result, Verdict
from toolchain.stack.config import PrivateConfig, config_file, has_private_config, uses_private_state
from toolchain.stack.engine import Engine

if TYPE_CHECKING:
    from toolchain.stack.describe import Cluster, Forward


def smoke(context: Context) -> int:
    """Ask everything. Returns 0 where at least one check went well and none failed, 1 else. Raises ToolchainError where none can be made.

    On Kubernetes what has an address of the cluster's own is asked through ports that are forwarded meanwhile.
    """
    if not uses_private_state(context):
        # On a runner nothing is set up yet, and the stack is elsewhere.
        context = setup.ensure(context, setup.Needs())
    if not context.pulumi.is_file():
        fail(f"nothing is set up here yet, so there is nothing to ask: {context.ways_up}")
    if has_private_config(context):
        PrivateConfig(context).sync()
    state = Engine(context).read_state(show_secrets=True)
    if state is None or not state.outputs:
        fail(f"stack {context.stack} is not deployed, so there is nothing to ask: {context.ways_up}")
    outputs = {name: output.value for name, output in state.outputs.items()}
    with _reachable(context, outputs, forward=bool(state.cluster)) as seen:
        found = checks.run(checks.of(seen), outputs.get("IMAGES") or {})
    for line in lines(context.stack, found):
        print(line)
    return 0 if _is_well(found) else 1


def lines(stack: str, found: list[Result]) -> Iterator[str]:
    """The report."""
    yield f"Stack {stack}:"
    width = max((len(r.name) for r in found), default=0)
    for result in found:
        yield f"  {result.verdict:<8}{result.name:<{width}}  {result.said}"
        if result.fix:
            yield f"          fix: {result.fix}"
    count = {verdict: sum(r.verdict is verdict for r in found) for verdict in Verdict}
    told = ", ".join(f"{n} {verdict.lower()}" for verdict, n in count.items() if n)
    yield told or "It has no output that could be asked."
    if count[Verdict.STUB]:
        yield "A stub answers health checks only: what it stands for was not tried."


def _is_well(found: list[Result]) -> bool:
    verdicts = [r.verdict for r in found]
    return Verdict.OK in verdicts and Verdict.FAILED not in verdicts


@contextlib.contextmanager
def _reachable(context: Context, outputs: Mapping[str, Any], *, forward: bool) -> Iterator[Mapping[str, Any]]:
    """The outputs with addresses that are reached from here."""
    if not forward:
        yield outputs
        return
    from toolchain.stack import cluster_access, describe
    from toolchain.stack import forward as forwarding

    cluster = describe.finish(describe.start(context, config_file(context))).cluster
    if cluster is None:
        fail("the stack's state is on Kubernetes, and its settings are not: `make preview` shows what would become of it")
    cluster = replace(cluster, forwards=(*cluster.forwards, *_of_apps(outputs, cluster), *_of_standbys(outputs, cluster)))
    place = cluster_access.Place(cluster.kubeconfig, cluster.context, cluster.namespace)
    with cluster_access.connect(place) as access:
        instance = cluster_access.instance_of(context)
        with forwarding.opened_anywhere(access, instance, cluster) as here:
            note("what the cluster alone reaches is asked through forwarded ports")
            yield _moved(outputs, lambda text: forwarding.forwarded(text, here))


def _of_apps(outputs: Mapping[str, Any], cluster: "Cluster") -> Iterator["Forward"]:
    """The ports of apps that the port plan does not have: they are open to the cluster alone."""
    from toolchain.stack.describe import Forward

    there = {(f.service, f.port) for f in cluster.forwards}
    for app, told in (outputs.get("APPS") or {}).items():
        at = urlsplit(told.get("url", ""))
        if at.port is not None and at.hostname == f"{app}.{cluster.namespace}{_INSIDE}" and (app, at.port) not in there:
            yield Forward(f"apps.{app}", app, at.port, 0)


def _of_standbys(outputs: Mapping[str, Any], cluster: "Cluster") -> Iterator["Forward"]:
    """The way to the standbys that an operator runs: the port plan has none for them."""
    from toolchain.stack.describe import Forward
    from toolchain.stack.forward import STANDBYS

    at = urlsplit(outputs.get("READ_URL") or "")
    service = (at.hostname or "").removesuffix(f".{cluster.namespace}{_INSIDE}")
    if at.port is not None and service != at.hostname and service.endswith(STANDBYS):
        yield Forward("postgresRead", service, at.port, 0)


_INSIDE: Final = ".svc.cluster.local"


def _moved(value: Any, move: Callable[[str], str]) -> Any:
    """A value with all texts in it moved."""
    if isinstance(value, Mapping):
        return {name: _moved(inner, move) for name, inner in value.items()}
    return move(value) if isinstance(value, str) else value
