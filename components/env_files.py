"""The env files of apps: which variables an app has, where their values come from, and the text that they make.

Plain text: no file is touched here. `components.env_file` manages the file, `components.check_env` judges one,
`components.env_format` knows how values are written.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from components import env_format
from components.env_format import Format


class Rule(StrEnum):
    """What a well-formed value is; `components.check_env` holds files against it."""

    TEXT = "text"
    INTEGER = "integer"
    PORT = "port"
    EMAIL = "email"
    HTTP_URL = "http_url"
    POSTGRES_URL = "postgres_url"
    ANON_KEY = "anon_key"
    SERVICE_KEY = "service_key"


@dataclass(frozen=True, kw_only=True, slots=True)
class Variable:
    """One variable of an app.

    Attributes:
        key: Its name in the file.
        source: The name of the value that fills it: a stack output (docs of the outputs), or one of `APP_PORT`, `SETUP_PASSWORD`,
            `ADMIN_EMAIL`, `ADMIN_PASSWORD`, `ADMIN_NAME`.
        rule: What a well-formed value is.
        secret: The value is never shown.
        required: The app does not work without it.
        setting: The stack setting that decides the value, where there is one.
    """

    key: str
    source: str
    rule: Rule
    secret: bool = False
    required: bool = True
    setting: str | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Variables that stand together under one comment."""

    comment: str
    variables: tuple[Variable, ...]


@dataclass(frozen=True, slots=True)
class App:
    """The template of an app's env file.

    Attributes:
        name: As in the setting `envFiles`.
        groups: In the order of the file.
        expands: The app's own reader replaces `$NAME` in values (dotenv-expand).
    """

    name: str
    groups: tuple[Group, ...]
    expands: bool = False

    @property
    def variables(self) -> dict[str, Variable]:
        """All variables by key, in the order of the file."""
        return {v.key: v for group in self.groups for v in group.variables}


# The service centre (seed 000, section 7.6).
_NEXTJS = App(
    "nextjs",
    (
        Group(
            "This instance and the port that the app listens on",
            (
                Variable(key="INSTANCE_ID", source="INSTANCE_ID", rule=Rule.INTEGER, setting="instance"),
                Variable(key="NEXT_PUBLIC_PORT", source="APP_PORT", rule=Rule.PORT, setting="app.port"),
            ),
        ),
        Group(
            "Supabase. NEXT_PUBLIC_ values end up in the browser; the service role key must not",
            (
                Variable(key="NEXT_PUBLIC_SUPABASE_URL", source="API_URL", rule=Rule.HTTP_URL),
                Variable(key="NEXT_PUBLIC_SUPABASE_ANON_KEY", source="ANON_KEY", rule=Rule.ANON_KEY),
                Variable(key="SUPABASE_SERVICE_ROLE_KEY", source="SERVICE_ROLE_KEY", rule=Rule.SERVICE_KEY, secret=True),
            ),
        ),
        Group(
            "Opens the app's /setup page, which makes the first administrator",
            (
                Variable(key="SETUP_PASSWORD", source="SETUP_PASSWORD", rule=Rule.TEXT, secret=True, setting="setupPassword"),
                Variable(key="ADMIN_EMAIL", source="ADMIN_EMAIL", rule=Rule.EMAIL, setting="admin.email"),
                Variable(key="ADMIN_PASSWORD", source="ADMIN_PASSWORD", rule=Rule.TEXT, secret=True, setting="adminPassword"),
                Variable(key="ADMIN_NAME", source="ADMIN_NAME", rule=Rule.TEXT, setting="admin.name"),
            ),
        ),
        Group(
            "The database itself, without a pooler in between",
            (Variable(key="DATABASE_URL", source="DB_URL", rule=Rule.POSTGRES_URL, secret=True, required=False),),
        ),
    ),
    expands=True,
)

APPS: Mapping[str, App] = {app.name: app for app in (_NEXTJS,)}
"""Every app that has a template, by name."""


class UnwritableError(ValueError):
    """At least one value can't be written. The text names app, keys and reasons, never a value."""


def app_named(name: str) -> App:
    """The template of an app.

    Raises:
        ValueError: There is none of that name.
    """
    if name not in APPS:
        raise ValueError(f"no app is called {name!r}; there are: {', '.join(sorted(APPS))}")
    return APPS[name]


def select(app: str, available: Collection[str]) -> dict[str, str]:
    """Which variables can be filled: key to the name of its source, in the order of the file.

    Args:
        app: Name of an app.
        available: Names of the values that this stack has (`Variable.source`). Variables without one are left out.

    Raises:
        ValueError: There is no such app.
    """
    return {key: v.source for key, v in app_named(app).variables.items() if v.source in available}


def render(app: str, values: Mapping[str, str], fmt: str) -> str:
    """The text of an app's env file, grouped and commented; variables that are not in `values` are left out.

    Args:
        app: Name of an app.
        values: Value by key.
        fmt: A `Format`.

    Raises:
        UnwritableError: The format can't carry some value, or the app has no such variable; all of them are named.
        ValueError: There is no such app or format.
    """
    wrong = faults(app, values, fmt)
    if wrong:
        raise UnwritableError("\n".join(wrong))
    form = _format(app, fmt)
    blocks = []
    for group in app_named(app).groups:
        lines = [f"{v.key}={env_format.write(values[v.key], form)}\n" for v in group.variables if v.key in values]
        if lines:
            blocks.append(f"# {group.comment}\n" + "".join(lines))
    return "\n".join(blocks)


def faults(app: str, values: Mapping[str, str], fmt: str) -> list[str]:
    """Why `render` would refuse these values: one line for each key, with the way out; empty when it would not.

    Raises:
        ValueError: There is no such app or format.
    """
    variables = app_named(app).variables
    form = _format(app, fmt)
    wrong = []
    for key, value in values.items():
        if key not in variables:
            wrong.append(f"envFiles.{app}: {key} is not a variable of this app")
        elif reason := env_format.unwritable(value, form):
            wrong.append(f"envFiles.{app}: {key} can't be written in the format {fmt}: {reason}. {_way_out(variables[key])}")
    return wrong


def _way_out(variable: Variable) -> str:
    if variable.setting is None:
        return "Change what it is made from."
    flags = "--secret " * variable.secret + "--path " * ("." in variable.setting)
    return f"Choose another value: pulumi config set {flags}supastack:{variable.setting}"


def _format(app: str, fmt: str) -> Format:
    try:
        return Format(fmt)
    except ValueError:
        raise ValueError(f"envFiles.{app}.format: {fmt!r} is not a format; there are: {', '.join(Format)}") from None
