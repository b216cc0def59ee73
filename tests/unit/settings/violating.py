"""Every kind of wrong value for every setting, made from the declaration."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, get_args, get_origin

from components.setting_schema import Field, fields
from tests.unit.settings.declared import (
    Where,
    a_name,
    choices_of,
    concrete,
    inside,
    is_choice,
    is_list_of_groups,
    is_size,
    known_fields,
    sample,
    secret_sample,
)
from tests.unit.settings.samples import HIDDEN, TEXTS

_NEVER_A_TEXT = ("", "\n", f"a{HIDDEN}\nb{HIDDEN}", f"{HIDDEN}\0", f"{HIDDEN}\x1b[31m", "x" * 5000)


@dataclass(frozen=True)
class Violation:
    """One wrong value at one place."""

    path: Where
    """Where it is put."""
    value: Any
    named: Where
    """Where the error has to point."""
    what: str


def _wrong_values(field: Field) -> Iterator[tuple[str, Any, Where]]:
    """Yield what is wrong, the value, and where below the setting the error has to point."""
    top = len(field.path) == 1
    setting = field.setting
    if is_list_of_groups(field):
        for value in (5, True, 1.5, None, {}, {"id": "a"}, "text", "{}", '"', "true"):
            yield "not a list", value, ()
        for value in (5, True, None, "text", []):
            yield "not a list of groups", [value], (0,)
        yield "an unknown name", [{"nosuch": f"{HIDDEN} of a mistyped name"}], (0, "nosuch")
        return
    if field.group is not None:
        for value in (5, True, 1.5, None, [], [{}], "text", "[]", '"', "true"):
            yield "not a group", value, ()
        yield from _unknown_siblings(field)
        return
    yield "null", None, ()
    if get_origin(field.type) is not list:
        yield "a list", [f"{HIDDEN} in a list"], ()
    if get_origin(field.type) is not list or setting.minimum:
        yield "an empty list", [], ()
    if get_origin(field.type) is not dict:
        yield "a group", {"value": f"{HIDDEN} in a group"}, ()
        yield "an empty group", {}, ()
    if field.type is int:
        low, high = setting.minimum or 0, setting.maximum or 0
        for value in (low - 1, high + 1, -(10**9), 10**30, low + 0.5):
            yield "out of range", value, ()
        for text in ("", " ", "five", "0x10", "1e3", "5.5", " 5", "\u0665", "--5", "5mb"):
            yield "not a number", text, ()
        yield "true", True, ()
        if not top:
            yield "a number in quotes", str(low), ()
    elif field.type is bool:
        # At the top level the engine hands over true and false as texts.
        for value in ("", "yes", "no", "on", *(() if top else ("true", "false")), "True", 0, 1, 1.0, 2):
            yield "not true or false", value, ()
    elif is_size(field):
        low, high = setting.minimum or 0, setting.maximum or 0
        texts = ["512", "mb", "0mb", "-1mb", "1.5gb", "1 gb", "512m", "512mib", "1pb", "1mbx", "x1mb", "0x1mb", "\u0661mb", ""]
        texts += [f"{low // 1024 - 1}kb", f"{high // 1024 + 1}kb", "999999999tb"]
        for text in texts:
            yield "not a size in the range", text, ()
        for value in (low, 0, True, 1.5):
            yield "not a text", value, ()
    elif choices_of(field):
        some = choices_of(field)[0]
        for text in (
            "no-such-choice",
            some.upper(),
            f"{some} ",
            f" {some}",
            f"{some}{some}",
            *([] if top and setting.default is None else [""]),
        ):
            yield "not a choice", text, ()
        for value in (5, True, 1.5):
            yield "not a choice", value, ()
    elif get_origin(field.type) is list:
        right = sample(field)[0]
        yield "text", str(right), ()
        if field.item is not None:
            yield "too many", [right] * ((setting.maximum or 0) + 1), ()
            for what, item, _ in _wrong_values(field.item):
                yield what, [right, item], (1,)
            return
        if setting.maximum is not None:
            yield "too many", [f"{right}{n}" for n in range(setting.maximum + 1)], ()
        for item in (None, 5, True, [right], {"name": right}, *_wrong_items(field)):
            yield "a wrong item", [right, item], (1,)
    elif get_origin(field.type) is dict:
        name = a_name(field)
        right = sample(field)[name]
        assert setting.key_check is not None
        for wrong in ("", "\n", *TEXTS[setting.key_check].wrong):
            yield "a wrong name", {wrong: right}, (wrong,)
        if field.item is not None:
            for what, value, _ in _wrong_values(field.item):
                yield what, {name: value}, (name,)
        else:
            no_text = (1.5, 2**53) if setting.environment else (5, True)
            for value in (None, *no_text, [right], {"name": right}, *_wrong_items(field)):
                yield "a wrong item", {name: value}, (name,)
        for value in (5, True, 1.5, "text", "[]"):
            yield "not a group", value, ()
    else:
        assert field.type is str, f"{field.path}: say here what is wrong for {field.type}"
        unset = {""} if top and setting.default is None else set()
        for text in _wrong_items(field):
            if text not in unset:
                yield "not a right text", text, ()
        if not top:
            for value in (5, True, 1.5):
                yield "not a text", value, ()


def _wrong_items(field: Field) -> tuple[str, ...]:
    """Return texts that a setting, or what it holds, can't be."""
    (kind,) = get_args(field.type)[-1:] or (field.type,)
    if is_choice(kind):
        return ("no-such-choice", "")
    assert field.setting.check in TEXTS, f"{field.path}: add samples for its check to `samples`"
    texts = TEXTS[field.setting.check]
    return texts.wrong if texts.free else (*_NEVER_A_TEXT, *texts.wrong)


def _unknown_siblings(field: Field) -> Iterator[tuple[str, Any, Where]]:
    """Yield groups with a name that is not declared, or a chosen name that is no name."""
    assert field.group is not None
    if get_origin(field.type) is dict:
        assert field.setting.key_check is not None
        for name in ("", "\n", *TEXTS[field.setting.key_check].wrong):
            yield "a wrong name", {name: {}}, (name,)
        for value in (None, 5, True, "text", [], [{}]):
            yield "not a group by name", {a_name(field): value}, (a_name(field),)
        inner: tuple[str, ...] = (a_name(field),)
    else:
        inner = ()
    known = list(fields(field.group))
    for name in dict.fromkeys(
        [
            *(f"{n}s" for n in known),
            *(n.upper() for n in known),
            *(n[:-1] + "_" for n in known),
            "password",
            "x y",
            "",
            "x.y",
            "0",
        ]
    ):
        if name in known:
            continue
        wrong: Any = {name: f"{HIDDEN} of a mistyped name"}
        for part in reversed(inner):
            wrong = {part: wrong}
        yield "an unknown name", wrong, (*inner, name)


def violations() -> Iterator[Violation]:
    """Yield each wrong value of each setting that is no secret."""
    for field in known_fields():
        if field.setting.secret:
            continue
        path = concrete(field.path)
        for what, value, below in _wrong_values(field):
            yield Violation(path, value, (*path, *below), what)


def secret_violations() -> Iterator[Violation]:
    """Yield wrong values of each secret setting that is given with --secret."""
    for name, field in fields().items():
        if not field.setting.secret:
            continue
        if get_origin(field.type) is dict:
            yield from _wrong_mappings(field)
            continue
        for text in _wrong_items(field):
            yield Violation((name,), text, (name,), "not a right secret")
        for value in (None, [f"{HIDDEN}-in-a-list"], {"a": f"{HIDDEN}-in-a-group"}):
            yield Violation((name,), value, (name,), "not a text")


def _wrong_mappings(field: Field) -> Iterator[Violation]:
    """Yield wrong values of a mapping of secrets: of the whole, of a name, of a secret."""
    (name,) = field.path
    for value in (None, f"{HIDDEN}-in-a-text", [f"{HIDDEN}-in-a-list"], 5):
        yield Violation((name,), value, (name,), "not a mapping")
    path: tuple[str, ...] = (name,)
    kind, setting = field.type, field.setting
    while get_origin(kind) is dict:
        assert setting.key_check in TEXTS, f"{field.path}: add samples for its key_check to `samples`"
        right = secret_sample(kind, setting)
        for wrong in TEXTS[setting.key_check].wrong:
            yield Violation((name,), _within(path[1:], {wrong: next(iter(right.values()))}), (*path, wrong), "a wrong name")
        inner = next(iter(right))
        path = (*path, inner)
        kind, setting = inside(kind, setting)
    assert setting.check in TEXTS, f"{field.path}: add samples for its check to `samples`"
    texts = TEXTS[setting.check]
    for wrong in texts.wrong if texts.free else (*_NEVER_A_TEXT, *texts.wrong):
        yield Violation((name,), _within(path[1:], wrong), path, "not a right secret")
    for value in (None, [f"{HIDDEN}-in-a-list"], {"a": f"{HIDDEN}-in-a-group"}, 5):
        yield Violation((name,), _within(path[1:], value), path, "not a text")


def _within(path: tuple[str, ...], value: Any) -> Any:
    """Return a value in a mapping for each name above it."""
    for part in reversed(path):
        value = {part: value}
    return value
