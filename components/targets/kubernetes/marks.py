"""Marks of what a pod consumes: as annotations they make it roll, in a job's name they make it another job."""

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import pulumi

from components.targets.kubernetes.inputs import joined

CONFIG: Final = "supastack.io/config"
"""Annotation of a pod: mark of its files without a secret."""
SECRETS: Final = "supastack.io/secrets"
"""Annotation of a pod: mark of all its secrets together."""
Mark = Callable[[Sequence[pulumi.Input[str]]], pulumi.Input[str]]
"""Makes the mark of secrets."""


def content(values: Mapping[str, pulumi.Input[str]]) -> pulumi.Input[str]:
    """Mark of what is no secret."""
    names = sorted(values)
    return joined([values[name] for name in names], lambda known: _digest(dict(zip(names, known, strict=True))))


def _digest(of: Any) -> str:
    return hashlib.sha256(json.dumps(of, sort_keys=True).encode()).hexdigest()[:16]


def keyed(key: pulumi.Input[str]) -> Mark:
    """Marks of secrets by a key that only the stack's state knows.

    A mark stands where anyone can read it who can read pods, and a password of the user's may be a weak one. `components.fingerprint`
    makes guesses costly, at 50 ms for each mark: one for every pod would be most of the program's time. With a random key of 190 bits
    nothing can be guessed at all (HMAC, RFC 2104), and a mark costs nothing.
    """

    def mark(values: Sequence[pulumi.Input[str]]) -> pulumi.Input[str]:
        found = joined([key, *values], lambda known: _keyed(known[0], known[1:]))
        # It says nothing of what it was made of, and is shown in previews: this is why the pod rolls.
        return found if isinstance(found, str) else pulumi.Output.unsecret(pulumi.Output.from_input(found))

    return mark


def _keyed(key: str, values: list[str]) -> str:
    return hmac.new(key.encode(), json.dumps(values).encode(), hashlib.sha256).hexdigest()[:16]
