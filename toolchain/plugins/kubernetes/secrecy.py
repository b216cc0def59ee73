"""What is secret: in the state by its marks, and in messages by its text."""

import base64
import binascii
from collections.abc import Iterable, Mapping
from typing import Any

from toolchain.plugins.common.values import Properties, property_map, secret_strings, to_property, with_secrets_of

from .objects import pluck

_SHORTEST = 4
_SHORTEST_ELSEWHERE, _LONG = 12, 20
_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_SECRET_FIELDS = ("data", "stringData")


def marked(values: Mapping[str, Any], source: Properties) -> dict[str, Any]:
    """`values` on the wire, with everything marked that is secret in `source`; a Secret's data always is.

    provider.go, annotateSecrets. `__inputs` inside `values` is marked the same way.
    """
    inputs = values.get("__inputs")
    plain = {key: value for key, value in values.items() if key != "__inputs"}
    is_secret = plain.get("kind") == "Secret"
    hidden = [key for key in _SECRET_FIELDS if key in plain] if is_secret else []
    if is_secret and pluck(plain, "metadata", "annotations", _APPLIED) is not None:
        # kubectl notes there all of what it applied, the data too. The official plugin leaves it in clear.
        hidden.append("metadata")
    found = with_secrets_of(property_map(plain, hidden), source)
    if inputs is not None:
        found["__inputs"] = to_property(marked(inputs, source))
    return found


def texts(*sources: Properties) -> frozenset[str]:
    """Every text that must not stand in a message: the secrets of the sources, and what is behind their base64."""
    hidden: set[str] = set()
    for source in sources:
        kind = source.get("kind")
        whole = {key: value.with_secret(True) for key, value in source.items() if key in _SECRET_FIELDS}
        hidden |= secret_strings(source, whole if kind is not None and kind.value == "Secret" else {})
    return frozenset(hidden | {plain for text in hidden for plain in _decoded(text)})


def elsewhere(secrets: Iterable[str]) -> frozenset[str]:
    """Those of other resources' secrets that are no ordinary word, nor a role's name: a log may show what another object holds."""
    return frozenset(text for text in secrets if len(text) >= _LONG or (len(text) >= _SHORTEST_ELSEWHERE and not _is_word(text)))


def _is_word(text: str) -> bool:
    return text.islower() and not any(character.isdigit() for character in text)


def without(text: str, secrets: Iterable[str]) -> str:
    """`text` with every secret blanked out."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "[secret]")
    return text


def _decoded(text: str) -> Iterable[str]:
    encoded = base64.b64encode(text.encode()).decode()
    yield encoded
    try:
        plain = base64.b64decode(text, validate=True).decode()
    except (binascii.Error, ValueError):
        return
    if len(plain) >= _SHORTEST:
        yield plain
