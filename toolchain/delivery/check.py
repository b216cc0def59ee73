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


def run(context: Context) -> int:
    """Check every stack that has a file or that delivery.yaml has a branch or previews for. Returns 1 where one is not right."""
    plan = settings.load(context.root)
    files = sorted(path.name[len("Pulumi.") : -len(".yaml")] for path in context.root.glob("Pulumi.*.yaml"))
    wrong = 0
    for stack in dict.fromkeys([*plan.stacks, plan.base, *files]):
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
    # Which cluster is said where it is deployed from.
    env = {"KUBECONFIG": os.devnull, **context.env}
    command: list[str | Path] = [context.venv_bin / "python", "-m", "components.check_stack", "--stack", stack, "--config", path]
    done = subprocess.run(command, cwd=context.root, env=env, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        yield from json.loads(done.stdout)
    else:
        yield f"it could not be checked (components.check_stack ended with {done.returncode}):\n{done.stderr.strip()}"
