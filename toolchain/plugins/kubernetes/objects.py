"""Kubernetes objects as plain dicts, some values of which may be unknown in a preview."""

from collections.abc import Mapping
from typing import Any

from toolchain.plugins.common.values import UNKNOWN

Object = dict[str, Any]


def pluck(value: Any, *path: str) -> Any:
    """The value at a path of keys; None where there is none."""
    for key in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(key)
    return value


def text_at(value: Any, *path: str) -> str:
    """The text at a path; empty where there is none or it is not known."""
    found = pluck(value, *path)
    return found if isinstance(found, str) and found != UNKNOWN else ""


def name_of(item: Mapping[str, Any]) -> str:
    """metadata.name; empty where there is none or it is not known."""
    return text_at(item, "metadata", "name")


def namespace_of(item: Mapping[str, Any]) -> str:
    """metadata.namespace; empty where there is none or it is not known."""
    return text_at(item, "metadata", "namespace")


def annotation_of(item: Mapping[str, Any], name: str) -> str:
    """The value of an annotation; empty where there is none or it is not known."""
    return text_at(item, "metadata", "annotations", name)


def id_of(item: Mapping[str, Any]) -> str:
    """The resource's id: `namespace/name`, or `name` (provider/util.go, fqObjName)."""
    namespace = namespace_of(item)
    return f"{namespace}/{name_of(item)}" if namespace else name_of(item)


def split_id(resource_id: str) -> tuple[str, str]:
    """Namespace and name of an id (provider/util.go, parseFqName)."""
    first, slash, second = resource_id.partition("/")
    return (first, second) if slash else ("", first)


def group_version(item: Mapping[str, Any]) -> tuple[str, str]:
    """API group and version; the core group is empty, under its other name `core` too."""
    group, slash, version = text_at(item, "apiVersion").partition("/")
    if not slash:
        return "", group
    return ("" if group == "core" else group), version


def kind_id(item: Mapping[str, Any]) -> str:
    """`v1/Service`, `apps/v1/Deployment`: how the tables name a kind."""
    group, version = group_version(item)
    kind = text_at(item, "kind")
    return f"{group}/{version}/{kind}" if group else f"{version}/{kind}"


def with_metadata(item: Mapping[str, Any], **values: Any) -> Object:
    """A copy with these values in its metadata. Metadata that is not known as a whole stays so."""
    metadata = item.get("metadata") or {}
    return {**item, "metadata": {**metadata, **values} if isinstance(metadata, Mapping) else metadata}


def with_annotation(item: Mapping[str, Any], name: str, value: str) -> Object:
    """A copy with an annotation. Annotations that are not known as a whole stay so."""
    annotations = pluck(item, "metadata", "annotations") or {}
    return with_metadata(item, annotations={**annotations, name: value}) if isinstance(annotations, Mapping) else dict(item)


def without_nulls(value: Any) -> Any:
    """Without the null entries of its maps, at any depth: they count as not given."""
    if isinstance(value, Mapping):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value
