"""Manifests become resources of Pulumi's kubernetes provider. The one place where that happens."""

from collections.abc import Iterable, Mapping, Sequence
from graphlib import TopologicalSorter
from typing import Any, Final

import pulumi
from pulumi_kubernetes import _utilities

from components.targets.kubernetes import adoption
from components.targets.kubernetes.manifest import Manifest

_SKIP: Final = "pulumi.com/skipAwait"
"""Annotation by which the provider does not wait (Pulumi's documentation, "Kubernetes: annotations")."""


class Object(pulumi.CustomResource):
    """A Kubernetes object, its body as the API spells it.

    Not the SDK's own classes: to import those that a stack needs took 0.21 to 0.25 s of CPU, and the provider's alone 0.01 s. The provider
    takes the API's spelling, which a body has, and the types are named as the SDK names them.
    """

    def __init__(self, name: str, body: Mapping[str, Any], opts: pulumi.ResourceOptions) -> None:
        super().__init__(token(body), name, dict(body), opts)


def token(body: Mapping[str, Any]) -> str:
    """Pulumi's name of an object's type: `kubernetes:apps/v1:Deployment`, `kubernetes:core/v1:Secret`."""
    version = str(body["apiVersion"])
    return f"kubernetes:{version if '/' in version else f'core/{version}'}:{body['kind']}"


def register(
    manifests: Iterable[Manifest],
    opts: pulumi.ResourceOptions,
    also: Mapping[str, Sequence[pulumi.Resource]] | None = None,
    *,
    adopts: bool = False,
) -> dict[str, Object]:
    """The resources, by their manifests' names.

    Args:
        manifests: What is made. What one of them comes after must be among them.
        opts: Options of all: their parent or provider.
        also: What a manifest comes after beside, by its name: resources of other kinds.
        adopts: Whether what an earlier stack left is taken over (`components.targets.kubernetes.adoption`).

    Raises:
        KeyError: one comes after something that is not among them.
        graphlib.CycleError: they come after each other in a circle.
    """
    by_name = {manifest.name: manifest for manifest in manifests}
    order = TopologicalSorter({name: manifest.after for name, manifest in by_name.items()}).static_order()
    made: dict[str, Object] = {}
    for name in order:
        manifest = by_name[name]
        own = pulumi.ResourceOptions(
            depends_on=[*(made[other] for other in manifest.after), *(also or {}).get(name, ())],
            protect=manifest.protect or None,
            retain_on_delete=manifest.retain or None,
            ignore_changes=list(manifest.ignore),
            replace_on_changes=list(manifest.anew) or None,
            delete_before_replace=bool(manifest.anew) or None,
            aliases=[pulumi.Alias(name=name) for name in manifest.before],
            custom_timeouts=_timeouts(manifest),
            version=str(_utilities.get_version()),  # type: ignore[no-untyped-call]
            additional_secret_outputs=["data", "stringData"] if manifest.kind == "Secret" else None,
        )
        made[name] = Object(name, _body(manifest, adopts=adopts), pulumi.ResourceOptions.merge(opts, own))
    return made


def _timeouts(manifest: Manifest) -> pulumi.CustomTimeouts | None:
    """How long the provider waits for it, where that is said; its own limit is ten minutes."""
    limit = None if manifest.within is None else f"{manifest.within}s"
    return None if limit is None else pulumi.CustomTimeouts(create=limit, update=limit)


def _body(manifest: Manifest, *, adopts: bool) -> dict[str, Any]:
    body = dict(manifest.body)
    told = {**({} if manifest.wait else {_SKIP: "true"}), **(adoption.annotations(manifest) if adopts else {})}
    if told:
        metadata = body["metadata"]
        body["metadata"] = {**metadata, "annotations": {**metadata.get("annotations", {}), **told}}
    return body
