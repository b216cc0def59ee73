"""Judges an env file: what is missing, empty or malformed. `python -m components.check_env FILE FOR`, or `make check-env`.

The file need not be one of ours. It is read as the app reads it. No value is ever printed: what stands in the wrong place may
be a secret.
"""

import argparse
import base64
import binascii
import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from components import env_file_header, env_files, env_format
from components.env_files import App, Rule, Variable
from components.env_format import Format

WELL, NOT_WELL, USAGE = 0, 1, 2
"""Exit codes."""


@dataclass(frozen=True, slots=True)
class Report:
    """What was found: one line each, sorted. Notes are no reason to fail."""

    problems: tuple[str, ...]
    notes: tuple[str, ...]


def judge(app: str, text: str, fmt: str = Format.DOTENV) -> Report:
    """Hold a file against the template of an app.

    Args:
        app: Name of an app.
        text: The content of the file.
        fmt: How it is written, a `Format`.

    Raises:
        ValueError: There is no such app or format.
    """
    template = env_files.app_named(app)
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
        return "empty", None
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
    reason = _RULES[variable.rule](value)
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


# ---- rules: why a value is malformed, or None ----------------------------------------------------------------------


def _text(_value: str) -> str | None:
    return None


def _integer(value: str) -> str | None:
    return None if re.fullmatch(r"[0-9]+", value) else "not a whole number"


def _port(value: str) -> str | None:
    return None if re.fullmatch(r"[0-9]{1,5}", value) and 1 <= int(value) <= 65535 else "not a port (1 to 65535)"


def _email(value: str) -> str | None:
    return None if re.fullmatch(r"[^@\s]+@[^@\s]+", value) else "not an e-mail address"


def _url(schemes: tuple[str, ...]) -> Callable[[str], str | None]:
    def rule(value: str) -> str | None:
        try:
            parts = urlsplit(value)
            good = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0 and not re.search(r"\s", value)
        except ValueError:  # a port that is none, a bracket that is not closed
            good = False
        return None if good else f"not a URL that begins with {' or '.join(f'{scheme}://' for scheme in schemes)}"

    return rule


def _key(kind: str, role: str, other: str) -> Callable[[str], str | None]:
    """An API key of Supabase: `sb_<kind>_...`, or a JSON Web Token (RFC 7519) of this `role`. No signature is looked at."""

    def rule(value: str) -> str | None:
        if value.startswith("sb_"):
            return None if re.fullmatch(rf"sb_{kind}_[A-Za-z0-9_-]+", value) else f"a key of another kind than sb_{kind}_"
        claims = _claims(value)
        if claims is None:
            return f"neither a JSON Web Token nor a key that begins with sb_{kind}_"
        found = claims.get("role")
        if found == role:
            return None
        return f"the {other} key, in the place of the {role} key" if found == other else f"a token whose role is not {role}"

    return rule


def _claims(token: str) -> dict[str, object] | None:
    parts = token.split(".")
    if len(parts) != 3 or not all(re.fullmatch(r"[A-Za-z0-9_-]+", part) for part in parts):
        return None
    try:
        header, claims = (json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))) for part in parts[:2])
    except (binascii.Error, ValueError):
        return None
    return claims if isinstance(header, dict) and isinstance(claims, dict) else None


_RULES: Mapping[Rule, Callable[[str], str | None]] = {
    Rule.TEXT: _text,
    Rule.INTEGER: _integer,
    Rule.PORT: _port,
    Rule.EMAIL: _email,
    Rule.HTTP_URL: _url(("http", "https")),
    Rule.POSTGRES_URL: _url(("postgresql", "postgres")),
    Rule.ANON_KEY: _key("publishable", "anon", "service_role"),
    Rule.SERVICE_KEY: _key("secret", "service_role", "anon"),
}


# ---- the command ---------------------------------------------------------------------------------------------------


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the report. Returns an exit code: 0 all is well, 1 something is not, 2 it could not be judged."""
    parser = argparse.ArgumentParser(prog="check_env", description="Say what is missing, empty or malformed in an env file.")
    parser.add_argument("file", metavar="FILE", type=lambda word: word.removeprefix("FILE="), help="the env file")
    parser.add_argument("app", metavar="FOR", type=lambda word: word.removeprefix("FOR="), help="the app that reads it")
    parser.add_argument("--format", choices=list(Format), help="how it is written (default: as its header says, or dotenv)")
    options = parser.parse_args(arguments)
    if not options.file or not options.app:
        return _unusable(f"which file, for which app? make check-env FILE=.env FOR={next(iter(env_files.APPS))}")
    try:
        content = Path(options.file).read_bytes()
        text = content.decode()
        header = env_file_header.parse(content)
        report = judge(options.app, text, options.format or (header.format if header else Format.DOTENV))
    except UnicodeDecodeError as error:
        return _unusable(f"{options.file}: not UTF-8 text (at byte {error.start})")
    except OSError as error:
        return _unusable(f"{options.file}: {error.strerror}")
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
