"""What an app's env file is made of: variables in groups, each a text with references to the stack's values. Data, no file."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from components import env_template
from components.env_format import Format
from components.env_rules import URLS, Rule
from components.env_sources import Source, find


@dataclass(frozen=True, kw_only=True, slots=True)
class Variable:
    """One variable of an app.

    Attributes:
        key: Its name in the file.
        value: Its text, with references (`components.env_template`) to values of the stack (`components.env_sources`).
        instead: The text where the stack lacks something that `value` refers to; None: the variable is left out then.
        rule: What a well-formed value is; unset: as that which it refers to.
        required: The app does not work without it.
        setting: The stack setting that decides the value, where there is one.
        secret: The value is never shown, also where nothing that it refers to is secret.
    """

    key: str
    value: str
    instead: str | None = None
    rule: Rule = Rule.TEXT
    required: bool = True
    setting: str | None = None
    secret: bool = False

    def __post_init__(self) -> None:
        sources = [_known(name) for text in (self.value, self.instead or "") for name in env_template.names(text)]
        object.__setattr__(self, "secret", self.secret or any(source.secret for source in sources))
        if self.rule is Rule.TEXT and sources:
            object.__setattr__(self, "rule", _rule(self.value))

    @property
    def may_be_empty(self) -> bool:
        """The template itself has no value for it."""
        return not self.value

    def text(self, available: Collection[str]) -> str | None:
        """The text that can be filled with these values; None: there is none."""
        for text in (self.value, self.instead):
            if text is not None and all(name in available for name in env_template.names(text)):
                return text
        return None


def _rule(text: str) -> Rule:
    pieces = env_template.parse(text)
    first = pieces[0]
    if isinstance(first, str):
        return Rule.TEXT
    if first.part not in env_template.WHOLE:
        return Rule.PORT if first.part == "port" and len(pieces) == 1 else Rule.TEXT
    rule = _known(first.name).rule
    return rule if len(pieces) == 1 or rule in URLS else Rule.TEXT


def _known(name: str) -> Source:
    source = find(name)
    if source is None:
        raise KeyError(name)
    return source


@dataclass(frozen=True, slots=True)
class Group:
    """Variables that stand together under one comment; none where it is empty."""

    comment: str
    variables: tuple[Variable, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """In what order the keys of a file stand, and under which comments: all that writing one needs to know of the app.

    Attributes:
        app: The app's name.
        groups: Comment and keys.
        setting: The setting that the file hangs on, for messages.
    """

    app: str
    groups: tuple[tuple[str, tuple[str, ...]], ...]
    setting: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "setting", self.setting or f"envFiles.{self.app}")

    @property
    def keys(self) -> frozenset[str]:
        """All keys."""
        return frozenset(key for _, keys in self.groups for key in keys)


@dataclass(frozen=True, slots=True)
class App:
    """The template of an app's env file.

    Attributes:
        name: As in the setting `envFiles`.
        groups: In the order of the file.
        expands: The app's own reader replaces `$NAME` in values (dotenv-expand).
        ports: Where the app listens, by name in the port plan, at instance 1, where that is not as planned.
        format: How the file is written, where the setting does not decide that.
        path: Where it is written where the setting names no place; None: `.env`.
    """

    name: str
    groups: tuple[Group, ...]
    expands: bool = False
    ports: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    format: Format | None = None
    path: str | None = None

    @property
    def variables(self) -> dict[str, Variable]:
        """All variables by key, in the order of the file."""
        return {v.key: v for group in self.groups for v in group.variables}

    @property
    def layout(self) -> Layout:
        """Its comments and keys."""
        return Layout(self.name, tuple((group.comment, tuple(v.key for v in group.variables)) for group in self.groups))
