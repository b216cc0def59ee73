"""The env files of apps: which template an app has, which of its variables can be filled, and the text that they make.

Plain text: no file is touched here. `components.env_file` manages the file, `components.check_env` judges one,
`components.env_format` knows how values are written, `components.env_apps` holds the templates that are built in.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from components import env_format, env_template
from components.env_app import App, Group, Layout, Variable
from components.env_apps import APPS
from components.env_format import Format


class UnwritableError(ValueError):
    """At least one value can't be written. The text names app, keys and reasons, never a value."""


def app_named(name: str) -> App:
    """The built-in template of an app.

    Raises:
        ValueError: There is none of that name.
    """
    if name not in APPS:
        raise ValueError(f"no app is called {name!r}; there are: {', '.join(sorted(APPS))}")
    return APPS[name]


@dataclass(frozen=True, kw_only=True, slots=True)
class Own:
    """What the settings say of an app's variables: added to the built-in template, or all of it where there is none.

    Attributes:
        variables: Text by key.
        groups: The same under a comment each.
        hidden: Keys whose values are secret settings.
    """

    variables: Mapping[str, str]
    groups: Mapping[str, Mapping[str, str]]
    hidden: frozenset[str] = frozenset()

    @staticmethod
    def of(file: Mapping[str, Any], hidden: Iterable[str] = ()) -> "Own":
        """What one checked entry of the setting `envFiles` says; `hidden`: the keys that `appSecrets` has for it."""
        return Own(
            variables=file["variables"],
            groups={comment: group["variables"] for comment, group in file["groups"].items()},
            hidden=frozenset(hidden),
        )

    @property
    def twice(self) -> list[str]:
        """Keys that are said more than once."""
        every = [*self.variables, *(key for group in self.groups.values() for key in group), *self.hidden]
        return sorted({key for key in every if every.count(key) > 1})

    @property
    def texts(self) -> dict[str, str]:
        """All texts by key."""
        return {**self.variables, **{key: text for group in self.groups.values() for key, text in group.items()}}


def template(name: str, own: Own) -> App:
    """The template of an app: the built-in one with the settings' own variables in it, or one of these alone.

    A key of the built-in template keeps its place, its rule and its secrecy. The references in the texts are known ones.

    Raises:
        ValueError: There is no built-in one, and the settings have no variable.
    """
    if not own.texts and not own.hidden:
        if name not in APPS:
            known = ", ".join(sorted(APPS))
            raise ValueError(
                f"there is no such app. Name one of these: {known}; or give it variables of its own: envFiles.{name}.variables"
            )
        return APPS[name]
    base = APPS.get(name, App(name, (), expands=True))
    theirs = base.variables
    kept = tuple(Group(group.comment, tuple(_given(v, own) for v in group.variables)) for group in base.groups)
    comment = "Of the stack's own settings" if base.groups else ""
    secret = tuple(Variable(key=key, value="", secret=True) for key in sorted(own.hidden - theirs.keys()))
    plain = _made(own.variables, theirs)
    groups = [(comment, plain + secret), *((c, _made(texts, theirs)) for c, texts in own.groups.items())]
    return replace(base, groups=(*kept, *(Group(c, variables) for c, variables in groups if variables)))


def _given(variable: Variable, own: Own) -> Variable:
    if variable.key in own.hidden:
        return replace(variable, value="", instead=None, setting=None, secret=True)
    if variable.key in own.texts:
        return replace(variable, value=own.texts[variable.key], instead=None, setting=None)
    return variable


def _made(texts: Mapping[str, str], theirs: Collection[str]) -> tuple[Variable, ...]:
    return tuple(Variable(key=key, value=text) for key, text in texts.items() if key not in theirs)


def select(app: App, available: Collection[str]) -> dict[str, str]:
    """Which variables can be filled: key to the text to fill, in the order of the file.

    Args:
        app: A template.
        available: Names of the values that there are (`components.env_sources`). Variables that need another one are left out.
    """
    found = {key: variable.text(available) for key, variable in app.variables.items()}
    return {key: text for key, text in found.items() if text is not None}


def left_out(app: App, available: Collection[str]) -> dict[str, list[str]]:
    """The variables that the app does not work without and that can't be filled, with the names of the values that are missing."""
    return {
        key: [name for name in env_template.names(variable.value) if name not in available]
        for key, variable in app.variables.items()
        if variable.required and variable.text(available) is None
    }


def shape(app: App) -> list[list[Any]]:
    """The layout of an app as plain data, for who does not know the settings."""
    return [[comment, list(keys)] for comment, keys in app.layout.groups]


def layout(app: str, shape: Sequence[Sequence[Any]], setting: str = "") -> Layout:
    """The layout that such data tells. `setting`: what the file hangs on, where that is not `envFiles`."""
    return Layout(app, tuple((comment, tuple(keys)) for comment, keys in shape), setting)


def render(form: Layout, values: Mapping[str, str], fmt: str) -> str:
    """The text of an app's env file, grouped and commented; variables that are not in `values` are left out.

    Args:
        form: Layout of the app.
        values: Value by key.
        fmt: A `Format`.

    Raises:
        UnwritableError: The format can't carry some value, or the app has no such variable; all of them are named.
        ValueError: There is no such format.
    """
    wrong = faults(form, values, fmt)
    if wrong:
        raise UnwritableError("\n".join(wrong))
    written = _format(form, fmt)
    blocks = []
    for comment, keys in form.groups:
        lines = [env_format.assignment(key, values[key], written) for key in keys if key in values]
        if lines:
            blocks.append((f"# {comment}\n" if comment else "") + "".join(lines))
    return "\n".join(blocks)


def faults(form: Layout, values: Mapping[str, str], fmt: str) -> list[str]:
    """Why `render` would refuse these values: one line for each key, with the way out; empty when it would not.

    Raises:
        ValueError: There is no such format.
    """
    written = _format(form, fmt)
    wrong = []
    for key, value in values.items():
        if key not in form.keys:
            wrong.append(f"{form.setting}: {key} is not a variable of this app")
        elif reason := env_format.unwritable(value, written):
            wrong.append(f"{form.setting}: {key} can't be written in the format {fmt}: {reason}. {_way_out(form, key)}")
    return wrong


def _way_out(form: Layout, key: str) -> str:
    variable = APPS[form.app].variables.get(key) if form.app in APPS else None
    if variable is None:
        return f"Change supastack:{form.setting}, or what it refers to."
    if variable.setting is None:
        return "Change what it is made from."
    flags = "--secret " * variable.secret + "--path " * ("." in variable.setting)
    return f"Choose another value: pulumi config set {flags}supastack:{variable.setting}"


def _format(form: Layout, fmt: str) -> Format:
    try:
        return Format(fmt)
    except ValueError:
        raise ValueError(f"{form.setting}.format: {fmt!r} is not a format; there are: {', '.join(Format)}") from None
