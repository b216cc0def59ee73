"""The program's own commands on a stack file that need neither engine nor daemon: check-env, env-example, graph."""

import os
from collections.abc import Sequence
from typing import Final

from toolchain import child
from toolchain.announce import fail
from toolchain.context import Context
from toolchain.stack.config import tracked_path

COMMANDS: Final = {"check-env": "components.check_env", "env-example": "components.env_example", "graph": "components.graph"}
"""The module behind each."""


def run(command: str, context: Context, rest: Sequence[str]) -> int:
    """Run one with further arguments, on the stack's file in the repository. Returns its exit code.

    What a command sets in a private copy of that file is not looked at: the answer is the same for everybody.
    """
    config = tracked_path(context)
    if config is None and command != "check-env":
        fail(f"there is no Pulumi.{context.stack}.yaml, so no stack {context.stack}")
    arguments = [*rest, *(["--config", str(config)] if config else [])]
    if command != "check-env":
        arguments += ["--stack", context.stack]
    python = context.venv_bin / "python"
    return child.run([python, "-m", COMMANDS[command], *arguments], cwd=context.root, env=os.environ)
