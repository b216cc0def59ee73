"""Reads the declaration in setting_types: its fields, and the pydantic validation made from it.

pydantic is imported when the first settings are validated, and the validator is built once.
"""

import copy
import difflib
import functools
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, NotRequired, get_args, get_origin

from typing_extensions import TypedDict

from components.setting_declared import DECLARED
from components.setting_types import PortSettings, StackSettings
from components.setting_values import Ciphertext, Refused, Setting, size_text

if TYPE_CHECKING:
    from pydantic import TypeAdapter
    from pydantic_core import ErrorDetails

Path = tuple[str | int, ...]
"""Where a setting stands: names, and positions in lists."""


@dataclass(frozen=True, kw_only=True)
class Field:
    """One declared setting."""

    path: tuple[str, ...]
    """Names from the top; `*` for a name that the user chooses, or a position in a list."""
    type: Any
    """The plain type: str, int, bool, an Enum, list[...], dict[...] or a declared TypedDict."""
    setting: Setting
    owner: type
    """The TypedDict that declares it."""

    @property
    def group(self) -> type | None:
        """The declared TypedDict that this setting holds, or holds several of, by name or in a list; None for a value."""
        inner = get_args(self.type)[-1] if self.several else self.type
        return inner if inner in DECLARED else None

    @property
    def several(self) -> bool:
        """Whether it is a mapping whose names the user chooses, or a list."""
        return get_origin(self.type) in (list, dict)

    @property
    def item(self) -> "Field | None":
        """The number or size that a list or a mapping holds, where that has a declaration of its own; None for all else."""
        inner = get_args(self.type)[-1] if get_origin(self.type) in (list, dict) else None
        plain, setting = _unwrap(inner)
        if get_origin(inner) is not Annotated or plain not in (int, str) or self.setting.secret:
            return None
        return Field(path=(*self.path, "*"), type=plain, setting=setting, owner=self.owner)


def _unwrap(hint: Any) -> tuple[Any, Setting]:
    """Return the plain type of an annotation, and its `Setting`."""
    if get_origin(hint) is NotRequired:
        hint = get_args(hint)[0]
    if get_origin(hint) is Annotated:
        return get_args(hint)[0], next(item for item in hint.__metadata__ if isinstance(item, Setting))
    return hint, Setting()


@functools.cache
def fields(owner: type = StackSettings) -> Mapping[str, Field]:
    """Return the settings that one TypedDict declares, by name."""
    found = {}
    for name, hint in DECLARED[owner].items():
        plain, setting = _unwrap(hint)
        found[name] = Field(path=(name,), type=plain, setting=setting, owner=owner)
    return MappingProxyType(found)


def all_fields(owner: type = StackSettings, above: tuple[str, ...] = ()) -> Iterator[Field]:
    """Yield every declared setting, each group before what is in it."""
    for name, field in fields(owner).items():
        path = (*above, name)
        yield Field(path=path, type=field.type, setting=field.setting, owner=owner)
        if field.group:
            yield from all_fields(field.group, (*path, "*") if field.several else path)


SECRETS: tuple[str, ...] = tuple(name for name, field in fields().items() if field.setting.secret)
"""Names of the settings that are accepted only when set with --secret: single ones, and mappings of secrets."""


@functools.cache
def default_of(owner: type) -> Mapping[str, Any]:
    """Return the defaults of a TypedDict as a user would write them; settings that are unset by default are left out."""
    found: dict[str, Any] = {}
    for name, field in fields(owner).items():
        if field.setting.default is not None:
            found[name] = field.setting.default
        elif field.group:
            found[name] = dict(default_of(field.group))
    return found


# -- validation ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing that is wrong with the settings."""

    path: Path
    """Where, below the namespace."""
    namespace: str | None = None
    """Where it is not the project's."""
    value: str | None
    """The value as text; None where it is hidden or there is none."""
    reason: str
    fix: str
    missing: Path | None = None
    """The secret setting that is not given, where nothing else is wrong here: a check without the secrets at hand lets that be."""


def _unless_encrypted(value: object, validate: Callable[[object], object]) -> object:
    """Validate a secret, if it can be read here."""
    return value if isinstance(value, Ciphertext) else validate(value)


def _validated_type(hint: Any, *, secret: bool = False) -> Any:
    """Return the annotation that pydantic validates by, made from one of ours. `secret`: it stands in a mapping of secrets."""
    from pydantic import AfterValidator, ConfigDict, WrapValidator, with_config
    from pydantic import Field as Limits

    plain, setting = _unwrap(hint)
    secret = secret or setting.secret
    if plain in DECLARED:
        members = {name: NotRequired[_validated_type(inner)] for name, inner in DECLARED[plain].items()}
        twin = TypedDict(plain.__name__, members)  # type: ignore[misc]
        # An exception of pydantic's would show a secret's value otherwise.
        return with_config(ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True))(twin)
    metadata: list[Any] = []
    result: Any = plain
    if isinstance(plain, type) and issubclass(plain, Enum):
        # Strict would ask for the Enum's member itself.
        metadata.append(Limits(strict=False))
    if get_origin(plain) in (list, dict):
        inner = get_args(plain)[-1]
        nested = get_origin(_unwrap(inner)[0]) is dict
        item = _validated_type(inner, secret=secret and nested)
        if setting.check:
            item = Annotated[item, AfterValidator(setting.check)]
        if secret and not nested:
            item = Annotated[item, WrapValidator(_unless_encrypted)]
        key = Annotated[str, AfterValidator(setting.key_check)] if setting.key_check else str
        result = list[item] if get_origin(plain) is list else dict[key, item]  # type: ignore[valid-type]
    elif setting.check:
        metadata.append(AfterValidator(setting.check))
    if secret and get_origin(plain) is not dict:
        metadata.append(WrapValidator(_unless_encrypted))
    if get_origin(plain) is list:
        metadata.append(Limits(min_length=setting.minimum, max_length=setting.maximum))
    elif plain is int:
        metadata.append(Limits(ge=setting.minimum, le=setting.maximum))
    for item in metadata:
        result = Annotated[result, item]
    return result


@functools.cache
def _adapter() -> "TypeAdapter[dict[str, Any]]":
    from pydantic import TypeAdapter

    return TypeAdapter(_validated_type(StackSettings))


def validate(values: Mapping[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
    """Check settings by name. Return those that are right, as the program uses them, and what is wrong with the others.

    What is wrong is missing in the first: a single value, or the list that holds it.
    """
    from pydantic import ValidationError

    sound = copy.deepcopy(dict(values))
    problems: list[Problem] = []
    while True:
        try:
            return _adapter().validate_python(sound), problems
        except ValidationError as error:
            found = error.errors(include_url=False)
        # Once more without the wrong ones, for what the others contradict is to be said in the same run.
        problems += [_problem(detail) for detail in found]
        for detail in found:
            _prune(sound, detail["loc"])


def _prune(values: dict[str, Any], location: Path) -> None:
    """Take out the value that pydantic names; for an item of a list, the list."""
    parts = [str(part) for part in location if part != "[key]"]
    for part in parts[:-1]:
        if not isinstance(values.get(part), dict):
            values.pop(part, None)
            return
        values = values[part]
    values.pop(parts[-1], None)


_KINDS: tuple[tuple[type, str], ...] = (
    (bool, "true or false"),
    (int, "a whole number"),
    (float, "a number"),
    (str, "text"),
    (list, "a list"),
    (dict, "a group of settings"),
    (type(None), "nothing"),
)


def kind_of(value: object) -> str:
    """Say what a value is, without showing it."""
    return next((kind for known, kind in _KINDS if isinstance(value, known)), "something else")


def shown(value: object) -> str | None:
    """Return a value as it may stand in a message; None for what has no short text."""
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, str) and len(value) <= 200:
        return json.dumps(value, ensure_ascii=not value.isprintable())
    return None


def key_text(project: str, path: Path) -> str:
    """Return a setting's key as `pulumi config set --path` takes it: `supastack:objectStorage.buckets[0]`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]*", part):
            text += f".{part}" if text else part
        else:
            text += f"[{json.dumps(part)}]"
    return f"{project}:{text}"


def nearest(name: str, known: list[str]) -> str | None:
    """Return the known name that a mistyped one most likely means."""
    folded = {re.sub(r"[^a-z0-9]", "", candidate.lower()): candidate for candidate in known}
    close = difflib.get_close_matches(re.sub(r"[^a-z0-9]", "", name.lower()), list(folded), n=1, cutoff=0.6)
    return folded[close[0]] if close else None


def unknown(path: Path, known: list[str]) -> Problem:
    """Say that there is no such setting. The value is not shown: it may be a mistyped secret's."""
    guess = nearest(str(path[-1]), known)
    names = ", ".join(sorted(known))
    fix = f"did you mean {guess!r}? There are: {names}" if guess else f"remove it, or use one of: {names}"
    return Problem(path=path, value=None, reason="there is no such setting", fix=fix)


def _field_at(path: Path) -> Field | None:
    """Return the declaration of the setting at a path; for an item of a list, that of the list."""
    owner: type | None = StackSettings
    field: Field | None = None
    for part in path:
        if field is not None and field.group is not None and field.several and owner is None:
            owner = field.group  # this part is a name that the user chose, or a position
            continue
        if owner is None or isinstance(part, int):
            return field if field is None else field.item or field
        found = fields(owner).get(part)
        if found is None:
            return None
        field, owner = found, None if found.several else found.group
    return field


def _problem(detail: "ErrorDetails") -> Problem:
    """Turn what pydantic found into a problem."""
    path: Path = tuple(part for part in detail["loc"] if part != "[key]")
    kind, given = detail["type"], detail["input"]
    if kind == "extra_forbidden":
        above = _field_at(path[:-1])
        known = list(fields(above.group if above and above.group else StackSettings))
        return unknown(path, known)
    field = _field_at(path)
    text = None if field and field.setting.secret else shown(given)
    context = detail.get("ctx", {})
    error = context.get("error")
    if isinstance(error, Refused):
        return Problem(path=path, value=None if error.hidden else text, reason=error.reason, fix=error.fix)
    describe = _DESCRIBED.get(kind)
    if field is None or describe is None:
        return Problem(path=path, value=text, reason=detail["msg"], fix="see docs/settings.md")
    reason, fix = describe(field, given)
    return Problem(path=path, value=text, reason=reason, fix=fix)


def limits(setting: Setting) -> str:
    """Return from what to what a number, a size or a list's length may go, as text."""
    if setting.unit == "size":
        return f"{size_text(setting.minimum or 0)} to {size_text(setting.maximum or 0)}"
    low, high = setting.minimum, setting.maximum
    span = f"at most {high}" if low is None else f"at least {low}" if high is None else f"{low} to {high}"
    return span + (f" {setting.unit}" if setting.unit else "")


def choices(kind: type[Enum]) -> str:
    """Return the values of an Enum, as text."""
    return ", ".join(str(member.value) for member in kind)


def _wrong_type(wanted: str, fix: str) -> Callable[[Field, object], tuple[str, str]]:
    def describe(_field: Field, given: object) -> tuple[str, str]:
        found = "nothing is given (null)" if given is None else f"it is {kind_of(given)}"
        return f"{found} where {wanted} is expected", fix

    return describe


def _whole_number(field: Field, given: object) -> tuple[str, str]:
    found = "nothing is given (null)" if given is None else f"it is {kind_of(given)}"
    return f"{found} where a whole number is expected", f"write a whole number, {limits(field.setting)}, without quotes"


def _group(field: Field, given: object) -> tuple[str, str]:
    found = "nothing is given (null)" if given is None else f"it is {kind_of(given)}"
    also = ', or "auto"' if field.type is PortSettings else ""
    return f"{found} where a group of settings is expected", f"write the settings below it, one a line, indented{also}"


def _out_of_range(field: Field, _given: object) -> tuple[str, str]:
    return f"it is outside {limits(field.setting)}", f"give a number from {limits(field.setting)}"


def _wrong_length(field: Field, given: object) -> tuple[str, str]:
    reason = "the list is empty" if not given else "the list is too long"
    return reason, f"give {limits(field.setting)} items"


def _not_a_choice(field: Field, given: object) -> tuple[str, str]:
    guess = nearest(given, choices(field.type).split(", ")) if isinstance(given, str) else None
    hint = f"did you mean {guess!r}? It can be: " if guess else "use one of: "
    return "it is not one of the choices", hint + choices(field.type)


_DESCRIBED: dict[str, Callable[[Field, object], tuple[str, str]]] = {
    "string_type": _wrong_type(
        "text",
        "write a text; put it in quotes if it looks like a number or like true or false (pulumi config set: --type string)",
    ),
    "bool_type": _wrong_type("true or false", "write true or false, without quotes"),
    "list_type": _wrong_type("a list", 'write a list, one "- item" a line'),
    "dict_type": _group,
    "int_type": _whole_number,
    "int_from_float": _whole_number,
    "int_parsing_size": _out_of_range,
    "greater_than_equal": _out_of_range,
    "less_than_equal": _out_of_range,
    "too_short": _wrong_length,
    "too_long": _wrong_length,
    "enum": _not_a_choice,
}
