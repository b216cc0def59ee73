"""Prints an example of an app's env file, for the app's repository: `python -m components.env_example FOR --stack NAME --config FILE`.

Every key of the template, with the values that stand in the settings; what is secret, or made only when the stack is, is empty.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from components import env_format, env_template
from components.env_app import App, Variable
from components.env_apps import APPS
from components.env_format import Format
from components.env_own import template_of
from components.env_sources import find
from components.plan import Plan, PlanError
from components.settings import SettingsError, load_file

DONE, USAGE = 0, 2
"""Exit codes."""


def example(app: App, values: Mapping[str, str | None]) -> str:
    """The example.

    Args:
        app: The template.
        values: What the stack has, by name; None for what is secret or not known yet.
    """
    fmt = app.format or Format.DOTENV
    known = {name: value for name, value in values.items() if value is not None}
    lines = [f"# Example of the env file of {app.name}, without secrets. `make up` writes the real one."]
    for group in app.groups:
        lines += ["", *([f"# {group.comment}"] if group.comment else [])]
        for variable in group.variables:
            about, assignment = _lines(variable, variable.text(values), known, fmt)
            lines += [f"# {about}", assignment] if about not in ("", group.comment) else [assignment]
    return "\n".join(lines) + "\n"


def _lines(variable: Variable, text: str | None, known: Mapping[str, str], fmt: Format) -> tuple[str, str]:
    """What is said of a variable that has no value here, and its line."""
    names = env_template.names(variable.value if text is None else text)
    if text and not variable.secret and all(name in known for name in names):
        value = env_template.fill(text, known)
        if env_format.unwritable(value, fmt) is None:
            return "", env_format.assignment(variable.key, value, fmt).rstrip("\n")
    # A key without a value is no TOML.
    about = source.about if names and (source := find(names[0])) else ""
    return about, f"# {variable.key} =" if fmt is Format.TOML else f"{variable.key}="


def main(arguments: Sequence[str] | None = None) -> int:
    """Print it. Returns an exit code: 0 done, 2 it can't be said."""
    parser = argparse.ArgumentParser(prog="env_example", description="Print an .env.example: every key, no secrets.")
    parser.add_argument("app", metavar="FOR", type=lambda word: word.removeprefix("FOR="), help="the app")
    parser.add_argument("--stack", required=True)
    parser.add_argument("--config", required=True, type=Path, help="the stack file")
    options = parser.parse_args(arguments)
    if not options.app:
        return _unusable(f"for which app? make env-example FOR={min(APPS)}")
    try:
        plan = Plan(load_file(options.config, stack=options.stack))
        app = plan.apps.get(options.app) or template_of(options.app, options.config)
        values = plan.values
    except (SettingsError, PlanError, ValueError, OSError) as error:
        return _unusable(str(error))
    print(example(app, values), end="")
    return DONE


def _unusable(reason: str) -> int:
    print(f"error: {reason}", file=sys.stderr)
    return USAGE


if __name__ == "__main__":
    sys.exit(main())
