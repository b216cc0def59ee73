"""Judges an env file: what is missing, empty or malformed. `python -m components.check_env FILE FOR`, or `make check-env`.

With `--config`, a stack file, apps of its own are known, and its variables of the built-in ones. The env file need not be one of ours.
It is read as the app reads it. No value is ever printed: what stands in the wrong place may be a secret.
"""

import argparse
import re
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from components import env_file_header, env_format, env_rules
from components.env_app import App, Variable
from components.env_apps import APPS
from components.env_format import Format
from components.env_own import template_of

WELL, NOT_WELL, USAGE = 0, 1, 2
"""Exit codes."""


@dataclass(frozen=True, slots=True)
class Report:
    """What was found: one line each, sorted. Notes are no reason to fail."""

    problems: tuple[str, ...]
    notes: tuple[str, ...]


def judge(template: App, text: str, fmt: str = Format.DOTENV) -> Report:
    """Hold a file against the template of an app.

    Args:
        template: Of the app.
        text: The content of the file.
        fmt: How it is written, a `Format`.

    Raises:
        ValueError: There is no such format.
    """
    reading = env_format.read(text, fmt)
    values = reading.values
    problems = [f"line {number}: is not KEY=value" for number in reading.bad_lines]
    notes = []
    for key, variable in sorted(template.variables.items()):
        if key in values:
            problem, note = _verdict(template, variable, values)
        elif variable.required:
            problem, note = "missing", None
        else:
            problem, note = None, "missing, which is allowed"
        problems += [f"{key}: {problem}"] if problem else []
        notes += [f"{key}: {note}"] if note else []
    return Report(tuple(problems), tuple(sorted([*notes, *_side_notes(template, reading)])))


def _verdict(app: App, variable: Variable, values: Mapping[str, str]) -> tuple[str | None, str | None]:
    """Problem and note on the value of one variable."""
    value = values[variable.key]
    if not value.strip():
        return (None, "empty, which is allowed") if variable.may_be_empty else ("empty", None)
    references = sorted({found[1] for found in _REFERENCE.finditer(value)}) if app.expands else []
    if variable.key in references:
        return "malformed: takes its value from itself", None
    unset = [name for name in references if name not in values]
    if not all(_SHOWABLE.fullmatch(name) for name in unset):  # it may be part of a password
        return "malformed: the app would replace the $ in it and what follows", None
    if unset:
        return f"malformed: takes its value from {_names(unset)}, which this file does not set", None
    if references:
        return None, f"takes its value from {_names(references)}; not looked into"
    reason = env_rules.malformed(variable.rule, value)
    return (f"malformed: {reason}", None) if reason else (None, None)


_REFERENCE = re.compile(r"(?<!\\)\$\{?([A-Za-z0-9_]+)")


def _names(names: Sequence[str]) -> str:
    return ", ".join(f"${name}" for name in names)


_SHOWABLE = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
"""Looks like the name of a variable, and not like a password or a line of a key file."""


def _side_notes(app: App, reading: env_format.Reading) -> list[str]:
    keys = Counter(entry.key for entry in reading.entries)
    known = app.variables
    unknown = sorted(key for key in keys if key not in known)
    shown = [key for key in unknown if _SHOWABLE.fullmatch(key)]
    notes = [f"{key}: not a variable of {app.name}" for key in shown]
    if hidden := len(unknown) - len(shown):
        notes.append(f"and {hidden} more that are not variables of {app.name}")
    notes += [f"{key}: stands {n} times, the last one counts" for key, n in keys.items() if n > 1 and key in known]
    return notes + [
        f"{entry.key}: no value, docker takes its own environment's" for entry in reading.entries if entry.value is None
    ]


# ---- the command ---------------------------------------------------------------------------------------------------


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the report. Returns an exit code: 0 all is well, 1 something is not, 2 it could not be judged."""
    parser = argparse.ArgumentParser(prog="check_env", description="Say what is missing, empty or malformed in an env file.")
    parser.add_argument("file", metavar="FILE", type=lambda word: word.removeprefix("FILE="), help="the env file")
    parser.add_argument("app", metavar="FOR", type=lambda word: word.removeprefix("FOR="), help="the app that reads it")
    parser.add_argument("--format", choices=list(Format), help="how it is written (default: as its header says, or dotenv)")
    parser.add_argument("--config", type=Path, help="the stack file that says which apps of its own there are")
    options = parser.parse_args(arguments)
    if not options.file or not options.app:
        return _unusable(f"which file, for which app? make check-env FILE=.env FOR={next(iter(APPS))}")
    try:
        template = template_of(options.app, options.config)
        content = Path(options.file).read_bytes()
        text = content.decode()
        header = env_file_header.parse(content)
        report = judge(template, text, options.format or template.format or (header.format if header else Format.DOTENV))
    except UnicodeDecodeError as error:
        return _unusable(f"{options.file}: not UTF-8 text (at byte {error.start})")
    except OSError as error:
        return _unusable(f"{error.filename or options.file}: {error.strerror}")
    except ValueError as error:
        return _unusable(str(error))
    count = len(report.problems)
    summary = f"{count} problem{'s' * (count != 1)}" if count else "all is well"
    print(f"{options.file}, for {options.app}: {summary}")
    for line in report.problems:
        print(f"  {line}")
    for line in report.notes:
        print(f"  note: {line}")
    return NOT_WELL if report.problems else WELL


def _unusable(reason: str) -> int:
    print(f"error: {reason}", file=sys.stderr)
    return USAGE


if __name__ == "__main__":
    sys.exit(main())
