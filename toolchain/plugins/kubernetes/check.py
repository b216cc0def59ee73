"""Check: refuses what this plugin does not have, and fills in the name, the namespace and the canonical form."""

from collections.abc import Mapping
from typing import Any

from toolchain.plugins.common.errors import UserError
from toolchain.plugins.common.values import UNKNOWN

from . import annotations, kinds
from .awaiting import expressions
from .objects import Object, annotation_of, pluck, text_at

_PREFIX = "pulumi.com/"


def problems(item: Mapping[str, Any], explanation: str) -> list[str]:
    """Everything that is wrong with an object's inputs, each as a sentence that repeats no value of a field."""
    found = []
    metadata = item.get("metadata")
    if metadata is not None and metadata != UNKNOWN and not isinstance(metadata, Mapping):
        return ["metadata must be an object"]
    if text_at(item, "metadata", "generateName") or pluck(item, "metadata", "generateName") == UNKNOWN:
        found.append("metadata.generateName is not supported in Server-Side Apply mode; leave the name out to have one made up")
    given = pluck(item, "metadata", "annotations")
    names = [str(name) for name in given] if isinstance(given, Mapping) else []
    unknown = [name for name in names if name.startswith(_PREFIX) and name not in annotations.KNOWN]
    found += [f"{name} is not an annotation that this plugin knows. {explanation}" for name in unknown]
    wait_for = annotation_of(item, annotations.WAIT_FOR)
    if wait_for:
        try:
            expressions.parse(wait_for)
        except UserError as error:
            found.append(str(error))
    return found


def refuse_type(token: str, explanation: str) -> None:
    """Raises UserError for a resource type that this plugin does not have."""
    problem = kinds.problem_of_token(token)
    if problem:
        raise UserError(f"{problem}. {explanation}")


def identified(item: Mapping[str, Any], token: str) -> Object:
    """`item` with the apiVersion and kind of its type where it names none."""
    return {**kinds.object_of_token(token), **item}
