"""What a stack's state says: resources, outputs, the stack id, unfinished operations, secrets."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

SIGNATURE = "4dabf18193072939515e22adb298388d"
"""The key that marks a special value in a state file (pulumi/sdk go/common/resource/sig/sig.go, `Key`)."""
SECRET = "1b47061264138c4ac30d75fd1eb44270"
"""Its value for a secret (`Secret` there)."""

CONTAINER = "docker:index/container:Container"
NAMESPACE = "kubernetes:core/v1:Namespace"
WORKLOADS = ("kubernetes:apps/v1:Deployment", "kubernetes:apps/v1:StatefulSet", "kubernetes:apps/v1:DaemonSet")
CLUSTER = "pulumi:providers:kubernetes"
NETWORK = "docker:index/network:Network"
VOLUME = "docker:index/volume:Volume"
STACK_ID = "random:index/randomId:RandomId"
GENERATED = ("random:index/randomPassword:RandomPassword", "random:index/randomBytes:RandomBytes")

_PROVIDER = "pulumi:providers:"
_PLUGINS = ("docker", "kubernetes", "random")
_ID_LABEL = "supastack.stack-id"
_ID_ANNOTATION = "supastack.io/stack-id"
_HEX = re.compile(r"[0-9a-f]{16}")
_SECRET_NAME = re.compile(r"PASS|SECRET|TOKEN|KEY|CREDENTIAL", re.IGNORECASE)
_SHORTEST = 8
"""Parts of larger secret values are searched for from this length on: shorter ones are words of every log."""


@dataclass(frozen=True)
class Output:
    """A stack output."""

    value: Any
    secret: bool


class StackState:
    """The export of a stack (`pulumi stack export`)."""

    def __init__(self, export: dict[str, Any]) -> None:
        self._export = export
        self._deployment: dict[str, Any] = export.get("deployment") or {}

    @staticmethod
    def parse(text: str) -> "StackState":
        """Read an export. Raises ValueError where it is none."""
        return StackState(json.loads(text))

    def text(self) -> str:
        """The export, to be imported."""
        return json.dumps(self._export)

    @property
    def resources(self) -> list[dict[str, Any]]:
        """All resources, those to be deleted as well."""
        return self._deployment.get("resources") or []

    @property
    def stack_id(self) -> str | None:
        """The id on all of this stack's objects (16 hex digits): as its Docker objects or its namespace in the state carry it.

        Where there are none yet, that of the resource `stack-id`. It is in every state, but the setting `stackId`, by which a
        stack adopts another's volumes, gives the objects another id.
        """
        # What is still to be deleted may carry an id from before.
        for resource in sorted(self.resources, key=lambda r: bool(r.get("delete"))):
            labels = (resource.get("inputs") or {}).get("labels") if resource["type"].startswith("docker:") else None
            for label in labels if isinstance(labels, list) else []:
                if isinstance(label, dict) and label.get("label") == _ID_LABEL and _HEX.fullmatch(str(label.get("value"))):
                    return str(label["value"])
        for resource in sorted(self.resources, key=lambda r: bool(r.get("delete"))):
            metadata = (resource.get("inputs") or {}).get("metadata") if resource["type"] == NAMESPACE else None
            if isinstance(metadata, dict) and _HEX.fullmatch(str((metadata.get("annotations") or {}).get(_ID_ANNOTATION))):
                return str(metadata["annotations"][_ID_ANNOTATION])
        for resource in self.resources:
            if resource["type"] == STACK_ID and name_of(resource["urn"]) == "stack-id":
                value = (resource.get("outputs") or {}).get("hex")
                if isinstance(value, str) and _HEX.fullmatch(value):
                    return value
        return None

    def runs(self) -> bool:
        """Whether something of the stack is there to run: a container or a workload."""
        return any(self.ids(kind) for kind in (CONTAINER, *WORKLOADS))

    def tells(self) -> bool:
        """Whether something of a stack that runs nothing is there: a component, or an env file that is managed."""
        own = ("supastack:index:", "pulumi-python:dynamic/supastack:")
        return any(type_of(r["urn"]).startswith(own) and not r.get("protect") for r in self.resources)

    @property
    def cluster(self) -> dict[str, str]:
        """The inputs of the stack's Kubernetes provider: `kubeconfig`, `context`, `namespace`; empty for a stack on Docker."""
        for resource in self.resources:
            if resource["type"] == CLUSTER and not resource.get("delete"):
                inputs = resource.get("inputs") or {}
                return {name: str(inputs[name]) for name in ("kubeconfig", "context", "namespace") if inputs.get(name)}
        return {}

    def in_cluster(self, kubeconfig: str, context: str) -> "StackState":
        """The same state with this kubeconfig and context as the inputs of its Kubernetes provider."""
        place = {"kubeconfig": kubeconfig, "context": context}
        resources = [
            {**r, **{side: {**r[side], **place} for side in ("inputs", "outputs") if "kubeconfig" in (r.get(side) or {})}}
            if r["type"] == CLUSTER
            else r
            for r in self.resources
        ]
        return StackState({**self._export, "deployment": {**self._deployment, "resources": resources}})

    @property
    def plugins(self) -> tuple[str, ...]:
        """The plugins whose providers the state has, of those that a target uses; none for a stack that made nothing by one."""
        found = {r["type"].removeprefix(_PROVIDER) for r in self.resources if r["type"].startswith(_PROVIDER)}
        return tuple(name for name in _PLUGINS if name in found)

    @property
    def namespaces(self) -> dict[str, str]:
        """UID of each namespace that the stack has made, by name."""
        found = {}
        for resource in self.resources:
            if resource["type"] == NAMESPACE:
                metadata = (resource.get("outputs") or {}).get("metadata") or {}
                found[str(metadata.get("name") or resource.get("id"))] = str(metadata.get("uid", ""))
        return found

    def ids(self, resource_type: str) -> set[str]:
        """The ids of all resources of a type."""
        return {str(r["id"]) for r in self.resources if r["type"] == resource_type and r.get("id")}

    def kept(self, resource_type: str) -> list[str]:
        """The ids of those of a type that outlive the stack: protected, or left where they are."""
        found = (r for r in self.resources if r["type"] == resource_type and r.get("id"))
        return sorted(str(r["id"]) for r in found if r.get("protect") or r.get("retainOnDelete"))

    def inputs(self, resource_type: str) -> list[dict[str, Any]]:
        """The inputs of all resources of a type (`type_of`), but those to be deleted; secrets as in `outputs`."""
        found = (r for r in self.resources if type_of(r["urn"]) == resource_type and not r.get("delete"))
        return [_clear(r.get("inputs") or {}) for r in found]

    @property
    def pending(self) -> list[tuple[str, str]]:
        """Operations that an engine began and never ended: what it did (`creating`), and to what."""
        return [(str(p.get("type")), p["resource"]["urn"]) for p in self._deployment.get("pending_operations") or []]

    def without_pending(self) -> "StackState":
        """The same state with no unfinished operations."""
        deployment = {k: v for k, v in self._deployment.items() if k != "pending_operations"}
        return StackState({**self._export, "deployment": deployment})

    @property
    def outputs(self) -> dict[str, Output]:
        """The stack's outputs. Values of secrets are in clear only in an export with secrets shown, else None."""
        for resource in self.resources:
            if resource["type"] == "pulumi:pulumi:Stack":
                return {k: Output(_clear(v), _holds_secret(v)) for k, v in (resource.get("outputs") or {}).items()}
        return {}

    def secrets(self) -> set[str]:
        """Every secret value and what it is made of, for redaction. Needs an export with secrets shown.

        The engine marks a list as a whole for one secret in it. What only stands in such a list, and elsewhere in the state for all
        to read, is no secret: the project's name in a volume's labels, or `postgres` in a command.
        """
        found: set[str] = set()
        beside: set[str] = set()
        for resource in self.resources:
            whole = resource["type"] in GENERATED or resource["type"] == "pulumi:pulumi:Stack"
            for value in _secret_values([resource.get("inputs"), resource.get("outputs")]):
                for text in _texts(value):
                    made_of = parts(text, 1 if whole else _SHORTEST)
                    (found if whole or value is text else beside).update(made_of & {text})
                    found |= made_of - {text}
        return found | beside - self._shown()

    def _shown(self) -> set[str]:
        """Every text that stands in the state without being marked as a secret."""
        return {text for resource in self.resources for text in _plain_texts([resource.get("inputs"), resource.get("outputs")])}


def parts(text: str, shortest: int = 1) -> set[str]:
    """What is secret in a secret text: the text, the password of a URL, the value of NAME=value where the name says so."""
    found = {text} if len(text.strip()) >= shortest else set()
    name, equals, value = text.partition("=")
    if equals and re.fullmatch(r"\w+", name):
        if _SECRET_NAME.search(name) and value:
            found.add(value)
        text = value
    try:
        password = urlsplit(text).password if "://" in text else None
    except ValueError:
        password = None
    if password:
        found |= {password, unquote(password)}
    return found


def name_of(urn: str) -> str:
    """The resource's name in a URN."""
    return urn.rsplit("::", 1)[-1]


def type_of(urn: str) -> str:
    """The resource's type in a URN, without its parents' types."""
    return urn.split("::")[2].rsplit("$", 1)[-1] if urn.count("::") >= 3 else ""


def _is_secret(value: Any) -> bool:
    return isinstance(value, dict) and value.get(SIGNATURE) == SECRET


def _plaintext(value: dict[str, Any]) -> Any:
    try:
        return json.loads(value["plaintext"])
    except (KeyError, ValueError, TypeError):
        return None


def _clear(value: Any) -> Any:
    if _is_secret(value):
        return _clear(_plaintext(value))
    if isinstance(value, dict):
        return {k: _clear(v) for k, v in value.items()}
    return [_clear(v) for v in value] if isinstance(value, list) else value


def _holds_secret(value: Any) -> bool:
    if isinstance(value, dict):
        return _is_secret(value) or any(_holds_secret(v) for v in value.values())
    return isinstance(value, list) and any(_holds_secret(v) for v in value)


def _secret_values(value: Any) -> Iterator[Any]:
    if _is_secret(value):
        yield _clear(value)
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _secret_values(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _secret_values(inner)


def _plain_texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict) and not _is_secret(value):
        for inner in value.values():
            yield from _plain_texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _plain_texts(inner)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, str):
        yield value
