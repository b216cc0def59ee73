"""The program's own commands on a stack file that need neither engine nor daemon: check-env, env-example, graph."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from toolchain import child
from toolchain.context import Context
from toolchain.stack.config import PrivateConfig, has_private_config, no_file, tracked_path

COMMANDS: Final = {"check-env": "components.check_env", "env-example": "components.env_example", "graph": "components.graph"}
"""The module behind each."""


def run(command: str, context: Context, rest: Sequence[str]) -> int:
    """Run one with further arguments, on the settings that `make up` reads: those of this instance, with what was set by a command.

    But for the picture that goes into the repository (graph without a file): it is drawn by the stack's file there, so that it is the
    same for everybody. Returns its exit code.
    """
    config = settings_file(context, shared=command == "graph" and not rest)
    if config is None and command != "check-env":
        no_file(context)
    arguments = [*rest, *(["--config", str(config)] if config else [])]
    if command != "check-env":
        arguments += ["--stack", context.stack]
    python = context.venv_bin / "python"
    return child.run([python, "-m", COMMANDS[command], *arguments], cwd=context.root, env=os.environ)


def settings_file(context: Context, *, shared: bool = False) -> Path | None:
    """The file with the settings; None where the stack has none. `shared`: that in the repository, if it is the stack's own."""
    tracked = tracked_path(context)
    if tracked is None or not has_private_config(context) or (shared and tracked.name == f"Pulumi.{context.stack}.yaml"):
        return tracked
    return PrivateConfig(context).sync()
