"""What a plugin raises so that its user reads one clear sentence, and so that nothing that was created is forgotten."""

from collections.abc import Mapping, Sequence
from typing import Any


class UserError(Exception):
    """An operation could not be done, and left nothing behind. The user gets the message alone, without a traceback.

    Raised in Check it becomes a CheckFailure. Put no value into the message that may be a secret.
    """


class InitFailed(Exception):
    """A resource is there but did not get ready: it stays in the state with the reasons as init errors, and the operation fails.

    The protocol's ErrorResourceInitFailed (pulumi/proto/provider.proto), for Create, Update and Read.
    """

    def __init__(
        self,
        resource_id: str,
        properties: Mapping[str, Any],
        reasons: Sequence[str],
        inputs: Mapping[str, Any] | None = None,
    ) -> None:
        """Args:
        resource_id: the id of what is there.
        properties: its outputs, as plain values (`StandIn` marks the secrets) or as PropertyValues (sent as they are).
        reasons: sentences for the user.
        inputs: its inputs as they are in fact; only Read may give them.
        """
        super().__init__("; ".join(reasons))
        self.resource_id = resource_id
        self.properties = properties
        self.reasons = tuple(reasons)
        self.inputs = inputs
