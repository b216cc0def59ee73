"""Check: refuses by name what the plugin doesn't know, and what can't be right."""

from collections.abc import Iterator, Mapping
from typing import Any

from .official import Official
from .schema import Field, Kind, ResourceType
from .values import UNKNOWN


def problems(official: Official, kind: ResourceType, inputs: Mapping[str, Any]) -> list[str]:
    """Everything that is wrong with `inputs`, each as a sentence that names the field and never its value."""
    return list(_of_fields(official, kind, inputs)) or kind.rule(inputs)


def _of_fields(official: Official, kind: ResourceType, inputs: Mapping[str, Any]) -> Iterator[str]:
    for key in inputs:
        if key.startswith("__"):
            continue
        if key not in kind.fields:
            yield f"{key} is not a field of {kind.token} that this plugin knows. {official.explain()}"
        elif kind.fields[key].output_only:
            yield f"{key} is an output and can't be given"
    for key, declared in kind.fields.items():
        value = inputs.get(key)
        if value is None:
            if declared.required:
                yield f"{key} is missing"
        elif not declared.output_only:
            yield from _of_value(declared, value, key)


def _of_value(declared: Field, value: Any, key: str) -> Iterator[str]:
    if value == UNKNOWN:
        return
    if not _fits(declared.kind, value):
        yield f"{key} must be a {declared.kind.value}"
        return
    if declared.kind is Kind.MAP:
        # Null entries count as none, as in the official plugin.
        yield from (f"{key}.{name} must be a string" for name, item in value.items() if not isinstance(item, str | None))
    problem = declared.rule(value) if declared.rule else None
    if problem:
        yield f"{key} {problem}"


def _fits(kind: Kind, value: Any) -> bool:
    match kind:
        case Kind.STRING:
            return isinstance(value, str)
        case Kind.BOOL:
            return isinstance(value, bool)
        case Kind.INT:
            return isinstance(value, int) and not isinstance(value, bool)
        case Kind.MAP:
            return isinstance(value, Mapping)
