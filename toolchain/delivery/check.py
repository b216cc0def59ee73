"""`make check-stacks`: whether the settings of every stack are right, and each env file's template can be written, with no secret at hand.

What a pull request from a fork can be asked as well: nothing is set up, no state is read, nothing is decrypted.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from toolchain.context import Context
from toolchain.delivery import settings

_OF_SECRET = "pulumi config set --secret"
"""In the fix of a problem that is only a secret that is not set."""


def run(context: Context) -> int:
    """Check all stacks that branches are deployed as, and the base of previews. Returns 1 where one is not right."""
    plan = settings.load(context.root)
    wrong = 0
    for stack in (*plan.stacks, plan.base):
        problems = list(_problems(context, stack))
        print(f"{stack}: {'not right' if problems else 'right'}")
        for problem in problems:
            print("\n".join(f"  {line}" for line in problem.splitlines()))
        wrong += bool(problems)
    return 1 if wrong else 0


def _problems(context: Context, stack: str) -> Iterator[str]:
    path = context.root / f"Pulumi.{stack}.yaml"
    if not path.is_file():
        yield f"there is no {path.name}, and {settings.FILE} names it"
        return
    done = _module(context, "components.describe", stack, path)
    if done.returncode == 2:
        blocks = [block for block in done.stderr.strip().split("\n\n")[1:] if _OF_SECRET not in block]
        yield from blocks
        return
    if done.returncode != 0:
        yield done.stderr.strip()
        return
    for file in json.loads(done.stdout).get("env_files", ()):
        done = _module(context, "components.env_example", stack, path, file["app"])
        if done.returncode != 0:
            yield f"the env file of {file['app']}: {done.stderr.strip()}"


def _module(context: Context, module: str, stack: str, path: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    # Which cluster is said where it is deployed from.
    env = {"KUBECONFIG": os.devnull, **context.env}
    command: list[str | Path] = [context.venv_bin / "python", "-m", module, *arguments, "--stack", stack, "--config", path]
    return subprocess.run(command, cwd=context.root, env=env, capture_output=True, text=True, check=False)
