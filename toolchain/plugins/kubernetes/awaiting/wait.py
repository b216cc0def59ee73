"""The waiting itself: how long, for what, and what is said at its end."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from toolchain.plugins.kubernetes import annotations
from toolchain.plugins.kubernetes.client import ApiError, Unreachable
from toolchain.plugins.kubernetes.objects import Object, annotation_of, id_of, kind_id
from toolchain.plugins.kubernetes.operation import Operation

from . import expressions, reasons, traffic, workloads
from .look import Look, failed

Check = Callable[[Mapping[str, Any]], Look]

_SECONDS = 600.0
_CLAIM_SECONDS = 300.0
"""awaiters.go: five minutes for a claim, ten for everything else."""

_LOOK_INTO_SECONDS = 5.0
"""How often the pods are looked at for what no time mends."""

_WORKLOADS: Mapping[str, Check] = {
    "apps/v1/DaemonSet": workloads.daemon_set,
    "apps/v1/Deployment": workloads.deployment,
    "apps/v1/StatefulSet": workloads.stateful_set,
    "batch/v1/Job": workloads.job,
    "v1/Pod": workloads.pod,
}


class NotReady(Exception):
    """The object is there and does not do what it is for; `live` is its last known form, `reasons` are sentences for the user."""

    def __init__(self, live: Mapping[str, Any], reasons: Sequence[str]) -> None:
        super().__init__("; ".join(reasons))
        self.live = dict(live)
        self.reasons = list(reasons)


def await_ready(op: Operation, inputs: Mapping[str, Any], made: Object) -> None:
    """Wait until `made` is ready. Raises NotReady."""
    check = _check(op, inputs, made)
    if check is None:
        return
    live, look = made, Look(ready=False)
    seconds = annotations.timeout_of(
        inputs, op.timeout, _CLAIM_SECONDS if kind_id(made) == "v1/PersistentVolumeClaim" else _SECONDS
    )

    next_look = time.monotonic() + _LOOK_INTO_SECONDS

    def done() -> bool:
        nonlocal live, look, next_look
        before = look.waiting_for
        try:
            live = op.cluster.get(made)
            look = check(live)
            if not look.ready and not look.failed and time.monotonic() >= next_look:
                next_look = time.monotonic() + _LOOK_INTO_SECONDS
                look = failed(why) if (why := _hopeless(op, live)) else look
        except Unreachable:
            # The API server may be starting anew; the time limit holds.
            return False
        except ApiError as error:
            raise NotReady(live, [op.say(f"{_what(made)} can't be asked about: {error}")]) from error
        if look.waiting_for and look.waiting_for != before:
            op.status(look.waiting_for)
        return look.ready or look.failed

    in_time = op.wait_for(done, seconds)
    op.status("")
    if look.ready:
        return
    if in_time:
        headline = look.waiting_for
    elif op.cancelled.is_set():
        headline = f"waiting was cancelled: {look.waiting_for}"
    else:
        headline = f"not ready after {seconds:g} seconds: {look.waiting_for}"
    raise NotReady(live, _said(op, made, live, headline))


def _hopeless(op: Operation, live: Object) -> str:
    try:
        return reasons.hopeless(op.cluster, live)
    except ApiError:
        # Pods may be none of this user's business; the workload's own status is waited for.
        return ""


def is_ready_now(op: Operation, inputs: Mapping[str, Any], live: Object) -> None:
    """Look once, without waiting. Raises NotReady. Claims and what `waitFor` asks for are not looked at (awaiters.go, awaitRead)."""
    if kind_id(live) == "v1/PersistentVolumeClaim" or annotation_of(inputs, annotations.WAIT_FOR):
        return
    check = _check(op, inputs, live)
    try:
        look = check(live) if check else Look(ready=True)
    except ApiError:
        # What it leads to can't be looked at by this user.
        return
    if not look.ready:
        raise NotReady(live, _said(op, live, live, look.waiting_for))


def _said(op: Operation, made: Object, live: Object, headline: str) -> list[str]:
    found = [f"{_what(made)}: {headline}"]
    try:
        found += reasons.of(op.cluster, live)
    except (ApiError, Unreachable) as error:
        found.append(f"why can't be told: {error}")
    return [op.say(text) for text in found]


def _check(op: Operation, inputs: Mapping[str, Any], live: Object) -> Check | None:
    """How to tell that an object is ready; None where there is nothing to wait for."""
    if annotations.is_true(inputs, annotations.SKIP_AWAIT):
        return None
    expression = annotation_of(inputs, annotations.WAIT_FOR)
    if expression:
        wanted = expressions.parse(expression)
        return lambda item: expressions.look(wanted, item)
    kind = kind_id(live)
    if kind in _WORKLOADS:
        return _WORKLOADS[kind]
    match kind:
        case "v1/Service":
            return lambda item: traffic.service(op.cluster, item)
        case "v1/PersistentVolumeClaim":
            return lambda item: traffic.claim(op.cluster, item)
        case "networking.k8s.io/v1/Ingress":
            return lambda item: traffic.ingress(op.cluster, item)
        case _:
            return None


def _what(item: Mapping[str, Any]) -> str:
    return f"{item.get('kind')} {id_of(item)}"
