"""Stacks of pull requests: `pr-12`, laid over Pulumi.preview.yaml. What is laid, and the commands pr-up, pr-down, pr-list."""

import copy
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from toolchain.announce import ToolchainError, fail, note, warn
from toolchain.context import Context
from toolchain.delivery import reach, settings


def laid_over(document: dict[str, Any], stack: str, project: str, provider: str | None = None) -> dict[str, Any]:
    """The settings of one preview: the base file's, with `${STACK}` filled in, a host of its own, and no env file unless one is named.

    A public host that does not have `${STACK}` in it gets the stack's name in front: `pr-12.preview.example.com`.

    Args:
        document: The base file in normal form; not changed.
        stack: The preview's name.
        project: The project's name.
        provider: What delivery.yaml has its secrets encrypted by; None: nothing, so that the base file's own counts.
    """
    config = reach.decoded(_filled(copy.deepcopy(document["config"]), stack), project)
    # The default is `.env`, which belongs to the developer's own stack.
    config.setdefault(f"{project}:envFiles", {})
    # The id of the stack that the base file belongs to: a preview takes nothing over.
    config.pop(f"{project}:stackId", None)
    cluster = config.get(f"{project}:kubernetes")
    exposure = cluster.get("exposure") if isinstance(cluster, dict) else None
    if isinstance(exposure, dict) and (host := exposure.get("host")) and stack not in str(host).split("."):
        exposure["host"] = f"{stack}.{host}"
    laid = {**document, "config": config}
    if provider is not None:
        # No file keeps what `stack init` writes: without the line a later run, elsewhere, would take the backend's own default.
        laid.pop("secretsprovider", None)
        if "://" in provider:
            laid["secretsprovider"] = provider
    return laid


def _filled(value: Any, stack: str) -> Any:
    if isinstance(value, dict):
        return {key: _filled(inner, stack) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, stack) for inner in value]
    return value.replace("${STACK}", stack) if isinstance(value, str) else value


@dataclass(frozen=True)
class Preview:
    """A preview that the backend knows."""

    stack: str
    updated: datetime | None
    """None: never brought up."""
    resources: int | None
    closed: bool | None = None
    """Whether its pull request is closed; None: not known."""
    updating: bool = False
    """Whether an engine works on it; Pulumi Cloud alone tells that, and leaves the time out meanwhile."""

    def age(self, now: datetime) -> str:
        """The time since the last update, in days or hours: `3d`, `5h`; empty where there was none."""
        if self.updated is None:
            return ""
        gone = int((now - self.updated).total_seconds() // 3600)
        return f"{gone // 24}d" if gone >= 48 else f"{max(gone, 0)}h"

    def idle(self, now: datetime, limit: int) -> bool:
        """Whether it may go: its request is closed, or there was no update for `limit` hours; never while an engine works on it.

        One that was never brought up may be about to be: it stays while its request is known to be open.
        """
        if self.updating:
            return False
        if self.closed:
            return True
        if self.updated is None:
            return self.closed is None
        return (now - self.updated).total_seconds() >= limit * 3600


def up(context: Context, rest: Sequence[str] = ()) -> int:
    """Bring up the preview of a pull request, and write its URLs as the body of a comment where COMMENT_FILE says so.

    For a request that GitHub says is closed nothing is done: it may have been closed while the checks before this ran, and its stack
    would be removed by nobody before the nightly cleanup. Returns the exit code of `up`; 0 for a closed request.
    """
    number = _only_previews(context)
    from toolchain.delivery import github
    from toolchain.stack import operations

    repository = github.from_environment()
    if repository is not None and repository.is_closed(number):
        note(f"pull request {number} is closed: {context.stack} is not brought up")
        return 0
    try:
        # Its data is nobody's: one whose namespace somebody removed is made anew.
        code = operations.up(context, rest, confirm=context.stack)
    except ToolchainError:
        _commented(_failed(context))
        raise
    # Made anew: the set-up may have chosen the engine only now.
    _commented(comment(Context.of(context.stack)) if code == 0 else _failed(context))
    return code


def down(context: Context) -> int:
    """Remove the preview of a pull request with its data and its state. Nobody is asked: only `pr-N` can be named here.

    Where COMMENT_FILE says so, the body of a comment is written that it is gone, or that there was none where its state is looked for.
    """
    _only_previews(context)
    from toolchain.stack import purging

    done = purging.remove(context, confirm=context.stack)
    if done.code == 0:
        _commented(_gone(context) if done.found else _unknown(context))
    return done.code


def _gone(context: Context) -> str:
    return f"**Preview `{context.stack}`** of this pull request is gone, with its data.\n"


def _unknown(context: Context) -> str:
    return (
        f"**Preview `{context.stack}`** of this pull request: nothing was removed, since no such stack is where the state of previews is "
        "kept. Either it was removed before, or it never came up, or the request had its state kept elsewhere: then it is still there.\n"
    )


def _failed(context: Context) -> str:
    return (
        f"**Preview `{context.stack}`** of this pull request could not be brought up: the log of the workflow's run says why. "
        "What was up before may still be, as it was or in part.\n"
    )


def _commented(body: str) -> None:
    if file := os.environ.get("COMMENT_FILE"):
        Path(file).write_text(body)


def comment(context: Context) -> str:
    """The URLs of a preview, for its pull request. Secret outputs are left out."""
    from toolchain.stack.engine import Engine

    state = Engine(context).read_state()
    shown = {
        name: output.value
        for name, output in (state.outputs if state else {}).items()
        if not output.secret and name.endswith("_URL") and isinstance(output.value, str) and output.value
    }
    first = [name for name in ("APP_URL", "API_URL") if name in shown]
    lines = [f"| {name} | {shown[name]} |" for name in [*first, *sorted(set(shown) - set(first))]]
    head = f"**Preview `{context.stack}`** of this pull request is up. It goes when the request is closed."
    return "\n".join([head, "", "| | |", "| --- | --- |", *lines, ""])


def known(context: Context) -> list[Preview]:
    """The previews that the backend has, by number. Raises ToolchainError where it can't be asked."""
    from toolchain import setup
    from toolchain.stack.engine import Engine

    out = Engine(setup.ensure(context, setup.Needs())).ask(["stack", "ls", "--json"])
    found = []
    for entry in json.loads(out or "[]"):
        name = str(entry["name"]).rsplit("/", 1)[-1]
        if settings.preview_number(name) is not None:
            at = entry.get("lastUpdate")
            updating = bool(entry.get("updateInProgress"))
            found.append(Preview(name, _time(at) if at else None, entry.get("resourceCount"), updating=updating))
    return sorted(found, key=lambda preview: settings.preview_number(preview.stack) or 0)


def with_requests(previews: Sequence[Preview]) -> list[Preview]:
    """The same, with what GitHub says of their pull requests; as they are where no token and repository are given."""
    from toolchain.delivery import github

    repository = github.from_environment()
    if repository is None:
        return list(previews)
    return [replace(p, closed=repository.is_closed(settings.preview_number(p.stack) or 0)) for p in previews]


def report(context: Context, idle: str | None = None) -> int:
    """Print all previews; with `idle`, those alone that may go by it."""
    now = datetime.now(UTC)
    limit = settings.hours(idle or settings.load(context.root).idle)
    listed = [p for p in with_requests(known(context)) if not idle or p.idle(now, limit)]
    if not listed:
        print(f"no preview is idle for {idle}, and none has a closed request" if idle else "no previews")
        return 0
    print(f"{'PREVIEW':<12}{'LAST UPDATE':<22}{'AGE':<6}{'RESOURCES':<11}REQUEST")
    for p in listed:
        when = p.updated.strftime("%Y-%m-%d %H:%M UTC") if p.updated else "now" if p.updating else "never"
        request = {None: "not known", True: "closed", False: "open"}[p.closed]
        count = "" if p.resources is None else str(p.resources)
        print(f"{p.stack:<12}{when:<22}{p.age(now):<6}{count:<11}{request}{'   idle' if p.idle(now, limit) else ''}")
    return 0


def clean(context: Context, idle: str | None = None) -> int:
    """Remove every preview that may go. Goes on after one that fails; returns 1 then."""
    now = datetime.now(UTC)
    limit = settings.hours(idle or settings.load(context.root).idle)
    failed = []
    for p in with_requests(known(context)):
        if not p.idle(now, limit):
            continue
        note(f"{p.stack}: {'its request is closed' if p.closed else f'no update for {p.age(now) or idle}'}")
        try:
            code = down(Context.of(p.stack))
        except ToolchainError as error:
            warn(str(error))
            code = 1
        failed += [p.stack] if code else []
    if failed:
        warn(f"not removed: {', '.join(failed)}")
    return 1 if failed else 0


def _only_previews(context: Context) -> int:
    if context.pull_request is None:
        fail(f"{context.stack} is not the preview of a pull request: PR=<number> names one")
    return context.pull_request


def _time(text: str) -> datetime:
    """A time as `pulumi stack ls --json` writes it: 2026-11-21T17:00:00.000Z."""
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)
