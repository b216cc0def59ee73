"""An app's env file in the form that another program imports: Vercel's CLI, GitHub's."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from toolchain import child
from toolchain.announce import fail, note
from toolchain.context import Context
from toolchain.stack.programs import settings_file

FORMS: Final[Mapping[str, str]] = {
    "vercel": "vercel env import FILE ENVIRONMENT",
    "github-secrets": "gh secret set -f - --env ENVIRONMENT",
    "github-variables": "gh variable set -f - --env ENVIRONMENT",
}
"""What reads each."""
_OPEN: Final = "github-variables"
"""The form that has no secret in it."""


def show(context: Context, files: Mapping[str, Path], form: str, *, show_secrets: bool) -> int:
    """Print the values of one app, to stdout alone. `files`: the env files that were asked for. Returns the exit code."""
    if form == "github":
        fail("GitHub keeps secrets and variables apart: FORMAT=github-secrets, then FORMAT=github-variables")
    if form not in FORMS:
        fail(f"FORMAT={form}: make env knows text, {', '.join(FORMS)}")
    if len(files) != 1:
        fail(f"values of which app? FOR={next(iter(files))}; there are: {', '.join(files)}")
    if form != _OPEN and not show_secrets:
        fail(f"FORMAT={form} prints secrets, to be read by `{FORMS[form]}`: SHOW_SECRETS=1 says that you want that")
    ((app, path),) = files.items()
    if not path.exists():
        fail(f"{path} is missing: make up writes it again")
    config = settings_file(context)
    arguments = [str(path), "--app", app, "--form", form, *(["--config", str(config)] if config else [])]
    code = child.run([context.venv_bin / "python", "-m", "components.env_export", *arguments], cwd=context.root, env=os.environ)
    if code == 0:
        note(f"for: {FORMS[form]}")
    return code
