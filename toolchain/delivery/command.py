"""The commands of delivery: which-stack, pr-up, pr-down, pr-list, pr-clean, comment, drift-issue, check-stacks, check-deploy.

What they work on is taken from the environment (BRANCH, PR, IDLE, FILE), where `make NAME=value` and a workflow's `env:` both
put it: a branch's name is text of whoever named it, and must not become part of a shell's or make's own text.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from toolchain.announce import fail, note
from toolchain.context import Context
from toolchain.delivery import github, previews, settings
from toolchain.setup.folders import write_private

COMMANDS: Final = {
    "which-stack": "print the stack that a branch is deployed as: BRANCH",
    "pr-up": "bring up the preview of a pull request: PR",
    "pr-down": "remove the preview of a pull request with its data and its state: PR",
    "pr-list": "print all previews of pull requests; IDLE=7d those alone that may go",
    "pr-clean": "remove the previews that may go: IDLE=7d",
    "comment": "write a file as the one comment of a stack on a pull request: PR, FILE",
    "drift-issue": "look for drift of a stack, and open, edit or close the one issue about it",
    "check-stacks": "say which stacks' settings are not right, with no secret at hand",
    "check-deploy": "say what a deployment from a runner of CI is missing",
}
LABEL: Final = "drift"


def run(command: str, stack: str, rest: Sequence[str]) -> int:
    """Run one. `stack`: for comment, drift-issue and check-deploy. Returns its exit code."""
    match command:
        case "which-stack":
            print(which_stack(_given("BRANCH", "main")))
            return 0
        case "pr-up":
            return previews.up(_preview(), rest)
        case "pr-down":
            return previews.down(_preview())
        case "pr-list" | "pr-clean":
            act = previews.report if command == "pr-list" else previews.clean
            return act(Context.of(f"pr-{_ANY}"), os.environ.get("IDLE") or None)
        case "comment":
            return comment(stack, _given("PR", "12"), Path(_given("FILE", "preview.md")))
        case "drift-issue":
            return drift_issue(Context.of(stack))
        case "check-stacks":
            from toolchain.delivery import check

            return check.run(Context.of())
        case _:
            return check_deploy(Context.of(stack))


_ANY: Final = 1
"""Of any preview: all have one backend."""


def which_stack(branch: str) -> str:
    """The stack of a branch. Raises ToolchainError where delivery.yaml has none for it."""
    from toolchain.context import ROOT

    plan = settings.load(ROOT)
    stack = plan.stack_of(branch)
    if stack is None:
        known = ", ".join(f"{pattern} -> {name}" for pattern, name in plan.branches)
        fail(f"no stack is deployed from the branch {branch}. {settings.FILE} has: {known}")
    return stack


def comment(stack: str, number: str, file: Path) -> int:
    """Write a file's text as the comment of a stack. With COMMENT=edit one that is there is edited, and none is made."""
    settings.preview_stack(number)
    body = _text(file)
    _summary(body)
    only_edit = os.environ.get("COMMENT") == "edit"
    url = github.needed().comment(int(number), github.marker_of("preview", stack), body, only_edit=only_edit)
    note("comment: none is there to be edited" if url is None else f"comment: {url or 'written'}")
    return 0


def drift_issue(context: Context) -> int:
    """Look for drift, and have one open issue tell of it; close it where there is none any more.

    Returns 0 in both cases, the exit code of `drift` where it could not be told.
    """
    from toolchain.preview.command import DRIFTED

    repository = github.needed()
    marker = github.marker_of("drift", context.stack)
    # A process of its own: its stdout is the issue's text, whatever runs below it.
    command = [sys.executable, "-m", "toolchain", "drift", "--stack", context.stack, "--format", "markdown"]
    done = subprocess.run(command, cwd=context.root, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=False)
    _summary(done.stdout)
    if done.returncode == 0:
        closed = repository.close_issue(marker, LABEL, f"Stack `{context.stack}` is again as its state has it.")
        note(f"drift: none in {context.stack}{', the issue is closed' if closed else ''}")
        return 0
    if done.returncode != DRIFTED:
        return done.returncode
    url = repository.issue(marker, f"Drift in stack {context.stack}", done.stdout, LABEL)
    note(f"drift in {context.stack}: {url or 'an issue says so'}")
    return 0


def _summary(text: str) -> None:
    """Show a text on the page of the workflow's run."""
    if path := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(path).open("a") as file:
            file.write(f"{text}\n")


def check_deploy(context: Context) -> int:
    """Refuse a deployment whose state would vanish with the machine that it runs on, before anything is set up.

    With DOWN=true the stack is only to be removed, which must always be possible: its settings are not looked at.
    """
    from toolchain.stack.config import secrets_provider, tracked_path, uses_private_state

    _keep_kubeconfig(context)
    goes = os.environ.get("DOWN") == "true"
    if context.pull_request is not None and not goes:
        from toolchain.delivery import guard

        guard.check(context)
    path = tracked_path(context)
    missing = []
    if path is None and not goes:
        missing.append(f"there is no Pulumi.{context.stack}.yaml")
    if uses_private_state(context):
        missing.append(
            f"its state would be in this machine's {context.private.name}/state, and be lost with it: say where it is "
            f"(state.{context.base_stack}.backend in {settings.FILE}, or PULUMI_BACKEND_URL)"
        )
    provider = secrets_provider(context)
    by_phrase = provider == "passphrase" or (provider in (None, "default") and not _is_cloud(context))
    given = any(name in os.environ for name in ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"))
    if by_phrase and not given:
        missing.append(
            "its secrets are encrypted by a passphrase, and none is given: PULUMI_CONFIG_PASSPHRASE, a secret of the environment"
        )
    elif by_phrase and os.environ.get("PULUMI_CONFIG_PASSPHRASE") == "" and "PULUMI_CONFIG_PASSPHRASE_FILE" not in os.environ:
        missing.append("PULUMI_CONFIG_PASSPHRASE is empty: a workflow gives that where the environment has no such secret")
    if missing:
        fail(
            f"stack {context.stack} can't be {'removed' if goes else 'deployed'} from here:\n"
            + "\n".join(f"  - {line}" for line in missing)
        )
    by = "passphrase" if by_phrase else "Pulumi Cloud" if provider in (None, "default") else provider
    note(f"{context.stack}: state in {_shown(context)}, secrets by {by}")
    return 0


def _keep_kubeconfig(context: Context) -> None:
    """Write the kubeconfig that a secret holds (KUBECONFIG_CONTENT) to a file of the clone's, for the steps that follow.

    GITHUB_ENV is the file by which a step sets variables of those after it. Inside the clone, since the state keeps the path as the
    provider has it, and a relative one is right on the next runner, too.
    """
    content, later = os.environ.get("KUBECONFIG_CONTENT"), os.environ.get("GITHUB_ENV")
    if content and later:
        path = context.private / "kubeconfig"
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(path, content)
        with Path(later).open("a") as file:
            file.write(f"KUBECONFIG={path}\n")
        os.environ["KUBECONFIG"] = str(path)


def _is_cloud(context: Context) -> bool:
    url = context.env.get("PULUMI_BACKEND_URL", "")
    return url.startswith("https://") or (not url and bool(context.env.get("PULUMI_ACCESS_TOKEN")))


def _shown(context: Context) -> str:
    # What follows may hold keys, as s3's older form of them.
    return (context.env.get("PULUMI_BACKEND_URL") or "Pulumi Cloud").partition("?")[0]


def _preview() -> Context:
    return Context.of(settings.preview_stack(_given("PR", "12")))


def _given(name: str, example: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        fail(f"{name} is not set. Example: {name}={example}")
    return value


def _text(file: Path) -> str:
    try:
        text = file.read_text()
    except OSError as error:
        fail(f"{file} can't be read: {error.strerror}")
    if not text.strip():
        fail(f"{file} is empty: the step before has not come as far as a report")
    return text
