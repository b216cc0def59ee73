"""Secret settings whose values are in Secrets of the cluster already (`kubernetes.existingSecrets`), and what such a value must be like.

Only a deployment reads them. Elsewhere such a setting counts as given, its value unknown.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from components.setting_schema import SECRETS, fields
from components.setting_types import Target
from components.setting_values import Ciphertext, Refused

SINGLE: Final[tuple[str, ...]] = tuple(name for name in SECRETS if fields()[name].type is str)
"""Names of the secret settings that are one text each."""

SETTING: Final = "kubernetes.existingSecrets"


@dataclass(frozen=True)
class Referenced(Ciphertext):
    """Stands for a value that is in a Secret of the cluster."""


@dataclass(frozen=True, kw_only=True)
class Reference:
    """Where the value of a secret setting is.

    Attributes:
        setting: Name of the secret setting.
        namespace: Namespace of the Secret.
        name: The Secret's name.
        key: Key in its data.
    """

    setting: str
    namespace: str
    name: str
    key: str

    @property
    def place(self) -> str:
        """The Secret as the API and Pulumi name it."""
        return f"{self.namespace}/{self.name}"


def counted(values: Mapping[str, Any]) -> dict[str, Referenced]:
    """What stands for the settings that only a Secret of the cluster gives, by name. `values`: checked settings."""
    if values.get("target") is not Target.KUBERNETES:
        return {}
    return {name: Referenced() for name in values.get("kubernetes", {}).get("existingSecrets", {}) if name not in values}


def references(settings: Mapping[str, Any], namespace: str) -> list[Reference]:
    """All that the settings name, by setting.

    Args:
        settings: Of the Kubernetes target, with their defaults.
        namespace: The stack's own.
    """
    return [
        Reference(setting=setting, namespace=at.get("namespace", namespace), name=at["name"], key=at["key"])
        for setting, at in sorted(settings["existingSecrets"].items())
    ]


def value(setting: str, key: str, data: Mapping[str, str] | None) -> str:
    """The value that a Secret has for a setting, found right as one from the stack's configuration would be.

    Args:
        setting: Name of the secret setting.
        key: Key in the Secret.
        data: The Secret's `data`: base64 by key.

    Raises:
        Refused: it has no such key, or a value that the setting can't take. The text shows nothing of it.
    """
    held = data or {}
    if key not in held:
        raise Refused(
            f"it has no key {key}; it has: {', '.join(sorted(held)) or 'none'}", "name one of them, or add it", hidden=True
        )
    try:
        text = base64.b64decode(held[key], validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise Refused(f"its key {key} holds no UTF-8 text", "write the text itself into it", hidden=True) from None
    if not text:
        raise Refused(f"its key {key} is empty", "write the value into it", hidden=True)
    check = fields()[setting].setting.check
    try:
        return text if check is None else str(check(text))
    except Refused as error:
        line = "; and without a line break at its end" if text.endswith("\n") else ""
        raise Refused(f"its key {key}: {error.reason}", f"{error.fix}{line}", hidden=True) from None
