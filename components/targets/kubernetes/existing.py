"""Secrets that are in the cluster already are read: never made, changed or deleted."""

from collections.abc import Iterable, Mapping
from typing import Any

import pulumi
from pulumi_kubernetes import _utilities

from components.existing_secrets import Reference, value
from components.setting_values import Refused
from components.targets.kubernetes import pull_secret

_HIDDEN = ("data", "stringData", "metadata", "__inputs")
"""`metadata`, since kubectl notes there what it applied, the data too; `__inputs` is the whole object once more."""


class _Existing(pulumi.CustomResource):
    """A Secret that others made. Not the SDK's own class, for the same reason as `register.Object`."""

    data: pulumi.Output[Mapping[str, str] | None]

    def __init__(self, name: str, opts: pulumi.ResourceOptions) -> None:
        super().__init__("kubernetes:core/v1:Secret", name, {"data": None}, opts)


def read(references: Iterable[Reference], opts: pulumi.ResourceOptions) -> dict[str, pulumi.Output[str]]:
    """The value of each setting, by its name; each Secret is read once.

    Args:
        references: Where the values are.
        opts: The provider, and what must have passed before.
    """
    held: dict[str, _Existing] = {}
    found: dict[str, pulumi.Output[str]] = {}
    for reference in references:
        place = reference.place
        if place not in held:
            # A namespace has no dot in its name, so no two are alike.
            held[place] = _existing(f"existing-{reference.namespace}.{reference.name}", place, opts)
        plain: pulumi.Output[str] = _value(held[place].data, reference)
        found[reference.setting] = pulumi.Output.secret(plain)
    return found


def login(settings: Mapping[str, Any], opts: pulumi.ResourceOptions) -> pulumi.Input[str]:
    """The content of the Secret that images are pulled with, in base64; empty where the settings name none.

    Args:
        settings: Of the Kubernetes target, completed.
        opts: The provider, and what must have passed before.
    """
    at = pull_secret.source(settings)
    if at is None:
        return ""
    # With a name of its own: the same Secret may be read for a setting, too.
    data: pulumi.Output[Mapping[str, str] | None] = _existing(pull_secret.NAME + "-source", "/".join(at), opts).data
    content: pulumi.Output[str] = pulumi.Output.secret(data.apply(lambda held: (held or {}).get(pull_secret.KEY, "")))
    return content


def _existing(name: str, place: str, opts: pulumi.ResourceOptions) -> _Existing:
    own = pulumi.ResourceOptions(
        id=place,
        additional_secret_outputs=list(_HIDDEN),
        version=str(_utilities.get_version()),  # type: ignore[no-untyped-call]
    )
    return _Existing(name, pulumi.ResourceOptions.merge(opts, own))


def _value(data: pulumi.Output[Mapping[str, str] | None], at: Reference) -> pulumi.Output[str]:
    def checked(held: Mapping[str, str] | None) -> str:
        try:
            return value(at.setting, at.key, held)
        except Refused as error:  # changed since the checks
            raise pulumi.RunError(
                f"{at.setting}: Secret {at.place} in the cluster: {error.reason}. To mend it: {error.fix}."
            ) from None

    return data.apply(checked)
