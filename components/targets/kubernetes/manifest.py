"""One Kubernetes object, as plain data: what is rendered, checked by tests, written for GitOps and registered with Pulumi."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Manifest:
    """A Kubernetes object that a stack is made of.

    Leaves of `body` may be Pulumi outputs (a secret, the stack's id): whoever reads one without an engine resolves them first.
    """

    name: str
    """Name of the Pulumi resource: `<component>-<service>` or `<component>-<service>-<part>`; unique in the stack."""
    body: Mapping[str, Any]
    """The object as Kubernetes' API spells it: apiVersion, kind, metadata, spec ..."""
    after: tuple[str, ...] = ()
    """Names of the manifests that must be there, and ready, before."""
    protect: bool = False
    """Not destroyed by `down`; whoever destroys it says so."""
    retain: bool = False
    """Left in the cluster when the stack gives it up."""
    ignore: tuple[str, ...] = ()
    """Properties that others change and Pulumi leaves alone, as `spec.replicas`."""
    anew: tuple[str, ...] = ()
    """Properties that Kubernetes lets nobody change: with another value the object is deleted, then made anew."""
    before: tuple[str, ...] = ()
    """Names that its resource had in earlier versions, or may have had: what stands under one in the state is this object."""
    wait: bool = True
    """Whether a deployment waits until it is ready; not for what nothing else needs."""
    within: int | None = None
    """Seconds that it waits; None: the provider's own ten minutes."""

    @property
    def kind(self) -> str:
        """`Deployment`, `Secret` ..."""
        return str(self.body["kind"])
