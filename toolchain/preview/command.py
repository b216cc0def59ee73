"""`make preview` and `make drift`: what a deployment would do, and what other hands have done. Both change nothing."""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from toolchain import setup
from toolchain.announce import ToolchainError, fail, note, warn
from toolchain.context import Context
from toolchain.preview import changes, drift, masking, report, text
from toolchain.preview.changes import Preview
from toolchain.preview.findings import Finding
from toolchain.stack import arguments as added
from toolchain.stack import prepare
from toolchain.stack.config import uses_private_state
from toolchain.stack.engine import Engine, working
from toolchain.stack.state import StackState

DRIFTED: Final = 3
"""Exit code of `drift` where something was changed by other hands."""
FORBIDDEN: Final = 4
"""Exit code of `preview` where a policy that must hold does not."""
FORMATS: Final = ("text", "markdown", "json")

_OF_UP: Final = ("--yes", "-y", "--skip-preview", "-f", "--continue-on-error")
"""Arguments of `pulumi up` that `pulumi preview` does not know."""

Judge = Callable[[Preview], Sequence[Finding]]
"""What policies find in a preview."""


def preview(
    context: Context,
    rest: Sequence[str] = (),
    *,
    form: str = "text",
    commit: str | None = None,
    judge_of: Callable[[Context], Judge] = lambda _: lambda _: (),
) -> int:
    """Show what `up` would change.

    As text the engine's own words go to stdout: of what exists, property by property. As `markdown` (the comment on a pull request) or
    `json` stdout has that alone, and the engine's words go to stderr.

    Args:
        context: The stack.
        rest: Further arguments for `pulumi preview`.
        form: One of `FORMATS`.
        commit: What the report says that it is of; None: git is asked.
        judge_of: Gives what policies find, by the stack's settings before anything runs.

    Returns the engine's exit code; where that is 0, FORBIDDEN where a policy that must hold does not. Raises ToolchainError where `rest`
    leads to another stack or other settings, or the preview could not begin.
    """
    added.check(rest, "preview")
    subject = report.Subject(stack=context.stack, commit=commit or _commit(context.root))
    try:
        with prepare.for_preview(context) as ready:
            subject = replace(subject, notes=ready.description.notes)
            for line in ready.description.notes:
                note(line)
            # For a stack that is all new, every property of everything would be hundreds of lines.
            depth = ["--diff"] if ready.state and _is_up(ready.state, ready.description.target) else []
            judge = judge_of(ready.context)
            with _event_log(context) as log:
                code = _run(ready.context, ["preview", *depth, *working(), *rest], log, form)
                seen = _read(log, code)
            findings = tuple(judge(seen)) if seen else ()
            hide = masking.masker(ready.context) if form != "text" else None
    except ToolchainError as error:
        if form == "markdown":
            # It may hold what the engine has said, which knows nothing of who reads this.
            sys.stdout.write(report.failed(subject, masking.of_failure(context)(str(error))))
        raise
    subject = replace(subject, findings=findings)
    if form == "text":
        for line in text.findings(findings):
            print(line)
    else:
        assert hide is not None
        seen = masking.masked(seen or _unfinished(code), hide)
        subject = replace(
            subject,
            notes=[hide(line) for line in subject.notes],
            findings=[replace(f, message=hide(f.message)) for f in findings],
        )
        written = report.render(seen, subject) if form == "markdown" else f"{json.dumps(report.data(seen, subject), indent=2)}\n"
        sys.stdout.write(written)
    return code or (FORBIDDEN if any(f.mandatory and f.waived is None for f in findings) else 0)


def allowed(context: Context, judge: Judge, rest: Sequence[str] = ()) -> int:
    """Preview a stack that is ready for `up`, and ask the policies. Returns the engine's exit code.

    Raises ToolchainError where a policy that must hold does not; what else was found is printed.
    """
    from toolchain.preview import policies

    also = [argument for argument in rest if argument not in _OF_UP]
    with _event_log(context) as log:
        code = _run(context, ["preview", *working(), *also], log, "text")
        seen = _read(log, code)
    if code == 0 and seen:
        policies.stop(context, judge(seen))
    return code


def show_drift(context: Context, rest: Sequence[str] = (), *, form: str = "text") -> int:
    """Report what was changed by other hands since the last deployment. `rest`: further arguments for `pulumi refresh`.

    Returns 0 where nothing was, DRIFTED where something was, the engine's exit code where it could not be told. Raises ToolchainError where
    `rest` leads to another stack or other settings, or there is no such stack.
    """
    added.check(rest, "drift")
    if not uses_private_state(context):
        # On a runner nothing is set up yet, and the stack is elsewhere.
        context = setup.ensure(context, setup.Needs())
    if not context.pulumi.is_file() or not Engine(context).exists():
        fail(f"there is no stack {context.stack} yet, so nothing of it can have been changed: {context.ways_up}")
    with prepare.for_preview(context) as ready, _event_log(context) as log:
        # What the engine itself shows of it is the same, at greater length.
        code = _run(ready.context, ["refresh", "--preview-only", "--diff", *working(), *rest], log, "markdown")
        seen = _read(log, code, refresh=True) or _unfinished(code)
        seen = masking.masked(seen, masking.masker(ready.context))
    subject = report.Subject(stack=context.stack)
    if form == "json":
        print(json.dumps(report.data(seen, subject), indent=2))
    else:
        sys.stdout.write(drift.markdown(seen, subject) if form == "markdown" else drift.text(seen, subject))
    if code != 0 or not seen.complete:
        return code or 1
    return DRIFTED if drift.found(seen) else 0


def _is_up(state: StackState, target: str) -> bool:
    """Whether the stack is deployed: one that is down has its components still, since these hold what keeps the data."""
    return state.tells() if target == "managed" else state.runs()


def _run(context: Context, arguments: Sequence[str], log: Path, form: str) -> int:
    return Engine(context).run(arguments, events=log, stdout=None if form == "text" else sys.stderr.fileno())


@contextmanager
def _event_log(context: Context) -> Iterator[Path]:
    """Where the engine writes its event log: a place that nobody else reads, gone afterwards."""
    context.private.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="events-", dir=context.private))
    try:
        yield folder / "events.json"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _read(log: Path, code: int, *, refresh: bool = False) -> Preview | None:
    try:
        return changes.read(log, refresh=refresh)
    except (OSError, ValueError) as error:
        if code == 0:
            # An engine of the user's own may be another version.
            warn(
                f"the engine has written no event log that can be read ({error}): there is no report, and policies were not asked"
            )
            raise ToolchainError("the preview went through, but what it would do is not known") from error
        return None


def _unfinished(code: int) -> Preview:
    message = f"the engine ended with {code} and did not say why: see the log"
    return Preview(changes=(), diagnostics=(changes.Diagnostic(severity="error", message=message),), complete=False)


def _commit(root: Path) -> str | None:
    """The commit that is checked out, with a `+` where there is more than it has; None where there is none."""
    try:
        done = _git(root, "rev-parse", "--short=12", "HEAD")
        return f"{done}{'+' if _git(root, 'status', '--porcelain', '--untracked-files=no') else ''}"
    except (OSError, subprocess.CalledProcessError):
        return None


def _git(root: Path, *arguments: str) -> str:
    command = ["git", "-C", str(root), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL).stdout.strip()
