"""The life of an object on the cluster: create, update, read, delete, each with its waiting (provider/pkg/await/await.go)."""

from collections.abc import Collection, Mapping
from typing import Any

from toolchain.plugins.common.errors import UserError

from . import annotations, ownership
from .awaiting import NotReady, await_ready, is_ready_now
from .client import ApiError, Unreachable
from .cluster import UnknownKindError
from .objects import Object, id_of, kind_id, name_of, pluck
from .operation import Operation

_TRIES = 6
_FIRST_PAUSE = 1.0
"""Creation is tried again where the namespace or the kind is still missing: 5 more times, after 1, 2, 4, 8 and 16 seconds."""

_DELETE_SECONDS = 600.0

_MAY_SKIP_DELETE_WAIT = frozenset(
    {"v1/Namespace", "v1/Pod", "apps/v1/DaemonSet", "apps/v1/Deployment", "apps/v1/StatefulSet", "batch/v1/Job"}
)
"""Kinds whose deletion is not waited for with skipAwait (metadata/overrides.go, allowsSkipAwaitWithDelete)."""

_CONFLICT = (
    "Server-Side Apply field conflict: another field manager owns a field that this program sets. Leave the field to it"
    " (ignore_changes), or take it over with the annotation pulumi.com/patchForce: 'true'"
)

_ADOPT = (
    "It is not in this stack's state, and data may hang on it, so nothing was touched. Import it (pulumi import), or let such objects be"
    " adopted with the provider's upsertExistingObjects; a stack of Supastack does where supastack:stackId gives the id in the object's"
    " annotation supastack.io/stack-id (`make up`)"
)


class NoPreviewError(Exception):
    """A dry run can't tell: the inputs themselves are the preview."""


def create(op: Operation, item: Object, manager: str) -> Object:
    """Make it and wait; the live object.

    Raises:
        UserError: it was not made.
        NotReady: it is there, and not ready.
    """
    made = _created(op, item, manager)
    await_ready(op, item, made)
    return _live(op, made)


def preview_create(op: Operation, item: Object, manager: str) -> Object:
    """What the API server would make of it. Raises NoPreviewError where it can't tell, UserError where it would refuse it."""
    try:
        if not op.cluster.has_kind(item):
            raise NoPreviewError
        return _make(op, item, manager, dry_run=True)
    except ApiError as error:
        # An object of this name: this one is to be replaced, or `up` will say so.
        if (
            error.is_forbidden
            or error.is_namespace_not_found
            or error.is_dry_run_refused
            or error.already_exists
            or error.is_immutable
        ):
            raise NoPreviewError from error
        raise UserError(op.say(f"{_what(item)} can't be created: {error}")) from error


def _created(op: Operation, item: Object, manager: str) -> Object:
    pause = _FIRST_PAUSE
    for attempt in range(1, _TRIES + 1):
        try:
            return _make(op, item, manager, dry_run=False)
        except (ApiError, UnknownKindError) as error:
            missing = isinstance(error, UnknownKindError) or error.is_not_found
            if not missing or attempt == _TRIES or op.cancelled.is_set():
                raise UserError(op.say(_refused(item, error, manager))) from error
            op.status(f"not there yet, trying again ({attempt}): {error}")
        op.cancelled.wait(pause)
        pause *= 2
    raise AssertionError("the last attempt returns or raises")


def _make(op: Operation, item: Object, manager: str, *, dry_run: bool) -> Object:
    """A plain creation, which fails over an object that is there; with upsertExistingObjects an apply (pull request 4278)."""
    if not op.settings.upsert:
        return op.cluster.create(item, manager, dry_run=dry_run)
    force = ownership.is_forced(item, None, always=op.settings.patch_force, preview=dry_run)
    return op.cluster.apply(item, manager, force=force, dry_run=dry_run)


def _refused(item: Object, error: ApiError | UnknownKindError, manager: str) -> str:
    said = f"{_what(item)} was not created: {error}"
    if isinstance(error, ApiError) and error.already_exists:
        return f"{said}. {_ADOPT}"
    if isinstance(error, ApiError) and error.is_conflict:
        return f"{_CONFLICT}. The field manager here is {manager}. {error}"
    return said


def update(op: Operation, old: Object, item: Object, manager: str, ignored: Collection[str], before: str = "") -> Object:
    """Apply the inputs and wait; the live object. `before` was the field manager until now; it gives up its fields if it is another.

    Raises:
        UserError: the object is gone, or the cluster can't be asked.
        NotReady: it was refused, or is not ready; the object is there.
    """
    with op.explained(f"{_what(old)} can't be updated"):
        live = op.cluster.get(old)
    try:
        takeover = ownership.taking_over(live, manager)
        if takeover:
            live = op.cluster.patch(live, takeover)
        applied = _apply(op, live, item, manager, ignored, dry_run=False)
    except (ApiError, UnknownKindError) as error:
        # The object is there: as in the official plugin, what was refused stays with the resource as an error.
        said = (
            f"{_CONFLICT}. The field manager here is {manager}. {error}"
            if _is_conflict(error)
            else f"the update was refused: {error}"
        )
        raise NotReady(live, [op.say(f"{_what(old)}: {said}")]) from error
    await_ready(op, item, applied)
    if before and before != manager:
        with op.explained(f"{_what(old)} was updated, but its former field manager {before} could not give up its fields"):
            op.cluster.apply(_bare(applied), before, force=True)
    return _live(op, applied)


def _bare(item: Object) -> Object:
    metadata = {key: pluck(item, "metadata", key) for key in ("name", "namespace") if pluck(item, "metadata", key)}
    return {"apiVersion": item["apiVersion"], "kind": item["kind"], "metadata": metadata}


def preview_update(op: Operation, old: Object, item: Object, manager: str, ignored: Collection[str]) -> Object:
    """What the API server would make of an update. Raises as preview_create does."""
    try:
        if not op.cluster.has_kind(item):
            raise NoPreviewError
        live = op.cluster.get(old)
        return _apply(op, live, item, manager, ignored, dry_run=True)
    except ApiError as error:
        if error.is_forbidden or error.is_dry_run_refused:
            raise NoPreviewError from error
        said = f"{_CONFLICT}. {error}" if error.is_conflict else str(error)
        raise UserError(op.say(f"{_what(old)} can't be updated: {said}")) from error


def _apply(
    op: Operation, live: Mapping[str, Any], item: Object, manager: str, ignored: Collection[str], *, dry_run: bool
) -> Object:
    wanted = ownership.with_ignored(item, live, manager, ignored) if ignored else item
    force = ownership.is_forced(item, live, always=op.settings.patch_force, preview=dry_run)
    return op.cluster.apply(wanted, manager, force=force, dry_run=dry_run)


def read(op: Operation, item: Object, *, look: bool = True) -> Object | None:
    """The live object, or None when it is gone. Raises NotReady when it is there and not ready; only with `look` is that asked."""
    try:
        live = op.cluster.get(item)
    except UnknownKindError:
        return None
    except ApiError as error:
        if error.is_not_found:
            return None
        raise UserError(op.say(f"{_what(item)} can't be read: {error}")) from error
    if look:
        is_ready_now(op, item, live)
    return live


def delete(op: Operation, inputs: Object, live: Object) -> None:
    """Remove it and wait until it is gone; fine when it is. Raises NotReady when it does not go in time."""
    uid = str(pluck(live, "metadata", "uid") or "")
    try:
        op.cluster.delete(live, annotations.propagation_of(inputs))
    except UnknownKindError:
        return
    except ApiError as error:
        if error.is_not_found:
            return
        raise UserError(op.say(f"{_what(live)} can't be deleted: {error}")) from error
    if annotations.is_true(inputs, annotations.SKIP_AWAIT) and kind_id(live) in _MAY_SKIP_DELETE_WAIT:
        return
    last = dict(live)

    def gone() -> bool:
        try:
            found = op.cluster.get(live)
        except UnknownKindError:
            return True
        except Unreachable:
            # The API server may be starting anew; the time limit holds.
            return False
        except ApiError as error:
            if error.is_not_found:
                return True
            raise
        last.clear()
        last.update(found)
        # Another one of the same name is none of ours.
        return bool(uid) and pluck(found, "metadata", "uid") != uid

    seconds = annotations.timeout_of(inputs, op.timeout, _DELETE_SECONDS)
    with op.explained(f"{_what(live)} is being deleted, and can't be asked about"):
        if op.wait_for(gone, seconds):
            return
    how = "the deletion was cancelled" if op.cancelled.is_set() else f"it is not gone after {seconds:g} seconds"
    raise NotReady(last, [op.say(f"{_what(live)}: {how}"), *(op.say(reason) for reason in _why_it_stays(last))])


def _why_it_stays(live: Mapping[str, Any]) -> list[str]:
    finalizers = pluck(live, "metadata", "finalizers") or []
    reasons = [f"it waits for the finalizers {', '.join(str(name) for name in finalizers)}"] if finalizers else []
    told = pluck(live, "status", "conditions") or [] if kind_id(live) == "v1/Namespace" else []
    return [*reasons, *(str(entry["message"]) for entry in told if entry.get("status") == "True" and entry.get("message"))]


def _live(op: Operation, made: Object) -> Object:
    """The object as it is now; the last one known where it can't be asked, so that it is not lost."""
    try:
        return op.cluster.get(made)
    except (ApiError, UserError):
        return made


def _is_conflict(error: Exception) -> bool:
    return isinstance(error, ApiError) and error.is_conflict


def _what(item: Mapping[str, Any]) -> str:
    return f"{item.get('kind')} {id_of(item) or name_of(item)}"
