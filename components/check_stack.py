"""What is wrong with a stack that its file alone tells, as JSON: `python -m components.check_stack --stack NAME --config FILE`.

Secrets that are not given are no problem here: others have them. What would stand in their way is looked for as if they were given,
down to the templates of the env files. Prints a list of texts, empty where all is right, and exits with 0.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from components.describe import describe
from components.env_example import example
from components.plan import Plan, PlanError
from components.setting_schema import Path as Key
from components.setting_values import Ciphertext
from components.settings import PROJECT, ROOT, Settings, SettingsError, load, told, written_in


def problems(path: Path, stack: str, root: Path = ROOT) -> list[str]:
    """All that is wrong with a stack file, a text each. Raises OSError where it can't be read."""
    try:
        settings = _settings(path, stack, root)
        describe(settings)
        plan = Plan(settings)
    except SettingsError as error:
        return ["\n".join(told(problem, PROJECT)) for problem in error.problems]
    except PlanError as error:
        return str(error).splitlines()
    found = []
    for name in sorted(settings.env_files):
        try:
            example(plan.apps[name], plan.values)
        except ValueError as error:
            found.append(f"the env file of {name}: {error}")
    return found


def _settings(path: Path, stack: str, root: Path) -> Settings:
    """The settings as they would be with all secrets that they need. Raises SettingsError with what is wrong beside these."""
    values: dict[str, Any] = written_in(path, stack=stack)
    while True:
        try:
            return load(values, stack=stack, root=root)
        except SettingsError as error:
            missing = {problem.missing for problem in error.problems if problem.missing is not None}
            given = [_give(values, key) for key in missing]
            if any(given):
                continue
            # One that can't be given is there in a way that is refused, which is told by itself.
            wrong = [problem for problem in error.problems if problem.missing is None] or error.problems
            raise SettingsError(wrong, project=PROJECT, stack=stack) from None


def _give(values: dict[str, Any], key: Key) -> bool:
    """Put a stand-in in the place of a secret that is not there. Returns whether there was none."""
    name, *inner = map(str, key)
    # The engine reads all of these as the same setting.
    spelled = next((k for k in (name, f"{PROJECT}:config:{name}") if k in values), f"{PROJECT}:{name}")
    at, last = values, spelled
    for part in inner:
        held = at.get(last)
        if held not in (None, "") and not isinstance(held, dict):
            return False
        at[last] = held = dict(held or {})
        at, last = held, part
    if at.get(last) not in (None, "", {}):
        return False
    at[last] = Ciphertext()
    return True


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m components.check_stack", description=__doc__)
    parser.add_argument("--stack", required=True)
    parser.add_argument("--config", required=True, type=Path)
    options = parser.parse_args(arguments)
    print(json.dumps(problems(options.config, options.stack)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
