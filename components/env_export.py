"""An app's values in the form that another program imports (`make env FORMAT=...`).

- `vercel`: for `vercel env import FILE ENVIRONMENT`, which reads with npm's dotenv 4.0.0 (vercel/vercel, packages/cli: package.json of
  54.18.0, src/commands/env/import.ts): line by line, without comments, one quote off either end, blanks off both, a line break within
  double quotes as a backslash and an n. What is printed is read the same by dotenv of today, should the CLI take that.
- `github-secrets`: for `gh secret set -f - --env ENVIRONMENT`; `github-variables`: for `gh variable set -f -`. Both read with Go's
  `godotenv` (cli/cli, pkg/cmd/secret/set/set.go), which has rules of its own: within '...' all is as it stands, elsewhere `$NAME` is
  replaced and a backslash takes the next character along.

What is no variable of the app's template counts as a secret. A value that a form can't carry is refused, by its name.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from components import env_format
from components.env_app import App


class Form(StrEnum):
    """Who imports it."""

    VERCEL = "vercel"
    GITHUB_SECRETS = "github-secrets"
    GITHUB_VARIABLES = "github-variables"


_PLAIN = re.compile(r"[A-Za-z0-9_./:@%+,=-]+")
"""Means itself everywhere."""
_NOT_VERCEL: Final = (
    "its blanks at an end, quotes, backslashes or line breaks can't be written so that the CLI's reader finds them again"
)
_LONGEST: Final = 48 * 1024
"""Bytes of a secret or a variable that GitHub takes (its documents on secrets and on variables)."""


def chosen(app: App, values: Mapping[str, str], form: Form) -> dict[str, str]:
    """Those of an app's values that a form is for, sorted by name. GitHub takes no empty value, so these are left out there."""
    known = app.variables
    plain = {key for key in values if key in known and not known[key].secret}
    match form:
        case Form.VERCEL:
            keys = set(values)
        case Form.GITHUB_SECRETS:
            keys = {key for key in values if key not in plain and values[key]}
        case Form.GITHUB_VARIABLES:
            keys = {key for key in plain if values[key]}
    return {key: values[key] for key in sorted(keys)}


def rendered(values: Mapping[str, str], form: Form) -> str:
    """The text to import. Only for values that `faults` has nothing against."""
    return "".join(f"{key}={_written(value, form)}\n" for key, value in values.items())


def faults(values: Mapping[str, str], form: Form) -> list[str]:
    """Why a form can't carry these values: a line for each, without the value."""
    found = {key: _name_fault(key, form) or _value_fault(value, form) for key, value in values.items()}
    return [f"{key}: {reason}" for key, reason in found.items() if reason]


def _name_fault(key: str, form: Form) -> str | None:
    if form is Form.VERCEL:
        return None
    # GitHub's documents: letters, digits and underscores, no digit first, nothing that begins with GITHUB_.
    if key.upper().startswith("GITHUB_"):
        return "GitHub keeps names that begin with GITHUB_ for itself"
    return None if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", key) else "GitHub takes letters, digits and underscores"


def _value_fault(value: str, form: Form) -> str | None:
    if "\0" in value:
        return "it holds a NUL character"
    if "\r" in value:
        return "it holds a carriage return, which the reader turns into a line feed"
    if form is Form.VERCEL:
        return None if _vercel(value) is not None else _NOT_VERCEL
    if len(value.encode()) > _LONGEST:
        return "it is longer than the 48 KiB that GitHub takes"
    return None if _github(value) is not None else "it ends with a backslash, which the reader takes the closing quote along with"


def _written(value: str, form: Form) -> str:
    written = _vercel(value) if form is Form.VERCEL else _github(value)
    if written is None:
        raise ValueError("this value can't be written in this form")
    return written


def _vercel(value: str) -> str | None:
    if _PLAIN.fullmatch(value) or not value:
        return value
    # Unquoted too, since a backslash before a quote means another thing to each.
    for written in (f"'{value}'", f'"{_broken(value)}"', value):
        if _dotenv_4(written) == value and env_format.read(f"V={written}\n").entries == (env_format.Entry("V", value, 1),):
            return written
    return None


def _broken(value: str) -> str:
    return value.replace("\n", "\\n")


_LINE_4 = re.compile(r"[^\n\r\u2028\u2029]*")


def _dotenv_4(written: str) -> str | None:
    """What dotenv 4.0.0 reads after `V=`; None where it reads no line."""
    if not _LINE_4.fullmatch(written):
        return None
    text = written.strip(env_format.BLANKS)
    if text[:1] == text[-1:] == '"':
        text = text.replace("\\n", "\n")
    return re.sub(r"\A['\"]|['\"]\Z", "", text).strip(env_format.BLANKS)


def _github(value: str) -> str | None:
    if _PLAIN.fullmatch(value):
        return value
    if value.endswith("\\"):
        return value if re.fullmatch(r"[A-Za-z0-9_./:@%+,=\\-]+", value) else None
    # It takes quotes off both ends as often as they stand there.
    if "'" not in value:
        return f"'{value}'"
    if value[0] == '"' or value[-1] == '"':
        return None if value[0] == "'" or value[-1] == "'" else _unquoted(value)
    return '"' + re.sub(r'([\\"$])', r"\\\1", value) + '"'


def _unquoted(value: str) -> str | None:
    """As it stands, up to the end of the line: with a quote inside, but none that it begins with."""
    hazard = value[0] in "\"'" or value != value.strip() or re.search(r"[\n$]|\s#", value)
    return None if hazard else value


_LOCAL = re.compile(r"://([^/@]*@)?(localhost|127\.|\[::1\])")
_IN_A_CLUSTER = re.compile(r"://([^/@]*@)?[^/:@?]+\.svc(\.cluster\.local)?([:/?]|$)")


def unreachable(values: Mapping[str, str]) -> list[str]:
    """What is worth saying of values that go elsewhere: whom nobody reaches from there. A line for each reason, without a value."""
    reasons = {"this machine": _LOCAL, "hosts of the cluster": _IN_A_CLUSTER}
    found = {what: [key for key, value in values.items() if pattern.search(value)] for what, pattern in reasons.items()}
    return [f"these name {what}, which nobody reaches elsewhere: {', '.join(keys)}" for what, keys in found.items() if keys]
