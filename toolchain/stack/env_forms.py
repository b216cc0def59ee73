"""An app's env file on stdout: as it is written, or in the form that another program imports (Vercel's CLI, GitHub's).

From the state, so that it needs no machine that the file was written on; what a hand has added to a file that is here goes along.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from components import env_export, env_of_state
from components.env_export import Form
from components.env_files import UnwritableError
from components.env_of_state import Told
from toolchain.announce import fail, note
from toolchain.context import Context
from toolchain.stack.programs import settings_file
from toolchain.stack.state import StackState

FORMS: Final[Mapping[str, str]] = {
    "vercel": "vercel env import FILE ENVIRONMENT",
    "github-secrets": "gh secret set -f - --env ENVIRONMENT",
    "github-variables": "gh variable set -f - --env ENVIRONMENT",
}
"""What reads each."""
_OPEN: Final = "github-variables"
"""The form that has no secret in it."""
_FILE: Final = "pulumi-python:dynamic/supastack:EnvFile"


def check(form: str, apps: list[str], known: list[str], *, show_secrets: bool) -> None:
    """Refuses what can't be printed, before anything is read.

    Args:
        form: As it was asked for.
        apps: Those that were asked for.
        known: Apps to name where none was.
        show_secrets: Whether it was said that secrets may be printed.

    Raises ToolchainError.
    """
    if form == "github":
        fail("GitHub keeps secrets and variables apart: FORMAT=github-secrets, then FORMAT=github-variables")
    if form not in FORMS:
        fail(f"FORMAT={form}: make env knows text, {', '.join(FORMS)}")
    if len(apps) != 1:
        fail(f"values of which app? FOR={(apps or known or ['nextjs'])[0]}; the stack writes: {', '.join(known) or 'none'}")
    if form != _OPEN and not show_secrets:
        fail(f"FORMAT={form} prints secrets, to be read by `{FORMS[form]}`: SHOW_SECRETS=1 says that you want that")


def text(context: Context, state: StackState, app: str) -> int:
    """Print an env file as the stack writes it. `state`: with secrets shown. Returns the exit code."""
    told = _told(context, state, app)
    try:
        sys.stdout.write(told.text())
    except UnwritableError as error:
        fail(str(error))
    return 0


def show(context: Context, state: StackState, app: str, form: str, file: Path | None) -> int:
    """Print the values of one app, to stdout alone.

    Args:
        context: The stack.
        state: Its state, with secrets shown.
        app: The app; `tenant-<id>` for a tenant.
        form: One of `FORMS`.
        file: The stack's own env file of the app, where it is here.

    Returns the exit code. Raises ToolchainError where the form can't carry a value.
    """
    told = _told(context, state, app)
    if file is not None:
        told = told.beside(file.read_bytes())
    values = env_export.chosen(told.app, told.values, Form(form))
    if wrong := env_export.faults(values, Form(form)):
        fail("\n  ".join([f"{app} can't be printed as {form}:", *wrong]))
    sys.stdout.write(env_export.rendered(values, Form(form)))
    for line in env_export.unreachable(values):
        note(line)
    note(f"for: {FORMS[form]}")
    return 0


def _told(context: Context, state: StackState, app: str) -> Told:
    config = settings_file(context)
    props = _of_file(state, app)
    try:
        if props is not None:
            return env_of_state.of_file(props, config)
        told = env_of_state.of_outputs(app, config, {name: output.value for name, output in state.outputs.items()})
    except (ValueError, OSError) as error:
        fail(f"{app}: {error}")
    if told.left_out:
        lacking = "; ".join(f"{key} ({', '.join(names)})" for key, names in told.left_out.items())
        note(f"{app}: left out, since the stack has no such value: {lacking}")
    return told


def _of_file(state: StackState, app: str) -> Mapping[str, Any] | None:
    """What the state has of an app's env file; None where the stack writes none."""
    return next((props for props in state.inputs(_FILE) if props.get("app") == app), None)
