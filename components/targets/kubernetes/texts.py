"""The symbolic references in a service's texts, as they are in a cluster."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

import pulumi

from components.encode import encode
from components.endpoints import Endpoint
from components.service import Address, AddressPart, Logs, LogsPart, Part, Secret, Text
from components.targets.kubernetes import naming
from components.targets.kubernetes.inputs import joined, mapped
from components.targets.kubernetes.naming import Stack


@dataclass(frozen=True, kw_only=True)
class Texts:
    """Resolves texts.

    Attributes:
        stack: Whose texts they are.
        secrets: Value by name; plain ones in tests.
        inside: Where each capability is reached by pods of the stack's namespace.
        away: Whether the reader is a pod of another namespace, who must name ours in each address.
    """

    stack: Stack
    secrets: Mapping[str, pulumi.Input[str]]
    inside: Mapping[str, Endpoint]
    away: bool = False

    def elsewhere(self) -> "Texts":
        """The same, for a reader in another namespace."""
        return replace(self, away=True)

    def resolve(self, text: Text) -> pulumi.Input[str]:
        """The text with its references replaced: a plain string, or an output if one stands in it."""
        return joined([self._part(part) for part in text.parts], "".join)

    def _part(self, part: Part) -> pulumi.Input[str]:
        if isinstance(part, str):
            return part
        if isinstance(part, Address):
            return self._address(part)
        if isinstance(part, Logs):
            return self._logs(part)
        return self._secret(part)

    def _secret(self, part: Secret) -> pulumi.Input[str]:
        return mapped(self.secrets[part.name], lambda value: encode(value, part.encoding))

    def _address(self, part: Address) -> str:
        endpoint = self.inside[part.capability]
        if self.away and "." not in endpoint.host and ":" not in endpoint.host:
            endpoint = Endpoint(f"{endpoint.host}.{self.stack.namespace}.svc", endpoint.port)
        match part.part:
            case AddressPart.HOST:
                return endpoint.host
            case AddressPart.PORT:
                return str(endpoint.port)
            case AddressPart.HOST_PORT:
                return str(endpoint)

    def _logs(self, part: Logs) -> str:
        """Vector's own source for a cluster: the pods of its node, here those with the stack's label (its reference, `kubernetes_logs`)."""
        if part.part is LogsPart.SERVICE:
            return f'.kubernetes.pod_labels."{naming.NAME}"'
        chosen = f"{naming.INSTANCE}={self.stack.instance}"
        return json.dumps({"extra_label_selector": chosen, "type": "kubernetes_logs"})
