"""The objects of one cluster: where a kind lives in the API, and the requests on it."""

import threading
from collections.abc import Mapping
from typing import Any

from .client import APPLY, JSON_PATCH, ApiError, Client
from .kinds import known
from .objects import Object, group_version, kind_id, name_of, namespace_of, text_at

_UNKNOWN_FIELDS = "Strict"
"""A field that the API does not know is refused by name. The official plugin lets it be dropped without a word (`Warn`)."""


class UnknownKindError(Exception):
    """The cluster has no such kind: its CustomResourceDefinition is missing."""

    def __init__(self, item: Mapping[str, Any]) -> None:
        self.kind = kind_id(item)
        super().__init__(f"the cluster has no kind {self.kind}; the CustomResourceDefinition for it may be missing")


class Cluster:
    """Requests by object. Kinds are looked up once."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self._lock = threading.Lock()
        self._found: dict[str, dict[str, tuple[str, bool]]] = {}

    def version(self) -> str:
        """The API server's version, such as v1.34.4."""
        return str(self.client.request("GET", "/version").get("gitVersion") or "")

    def has_kind(self, item: Mapping[str, Any]) -> bool:
        """Whether the cluster knows the kind of an object."""
        try:
            self._kind(item)
        except UnknownKindError:
            return False
        return True

    def is_namespaced(self, item: Mapping[str, Any]) -> bool:
        """Whether the kind of an object lives in namespaces. Raises UnknownKindError."""
        return self._kind(item)[1]

    def get(self, item: Mapping[str, Any]) -> Object:
        """The live object."""
        return self.client.request("GET", self._path(item))

    def create(self, item: Mapping[str, Any], manager: str, *, dry_run: bool = False) -> Object:
        """Create it; fails where there is one of this name."""
        query = {"fieldManager": manager, "fieldValidation": _UNKNOWN_FIELDS, **_dry(dry_run)}
        return self.client.request("POST", self._path(item, collection=True), query=query, body=item)

    def apply(self, item: Mapping[str, Any], manager: str, *, force: bool, dry_run: bool = False) -> Object:
        """Server-side apply."""
        query = {"fieldManager": manager, "force": str(force).lower(), "fieldValidation": _UNKNOWN_FIELDS, **_dry(dry_run)}
        return self.client.request("PATCH", self._path(item), query=query, body=item, content_type=APPLY)

    def patch(self, item: Mapping[str, Any], operations: list[Object]) -> Object:
        """A JSON patch."""
        return self.client.request("PATCH", self._path(item), body=operations, content_type=JSON_PATCH)

    def delete(self, item: Mapping[str, Any], propagation: str) -> None:
        """Ask for its deletion, and say what becomes of its dependents."""
        body = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": propagation}
        self.client.request("DELETE", self._path(item), body=body)

    def list(self, api_version: str, kind: str, namespace: str, **query: str) -> list[Object]:
        """Objects of a kind in a namespace; `labelSelector` and `fieldSelector` narrow it down."""
        item = {"apiVersion": api_version, "kind": kind, "metadata": {"namespace": namespace}}
        found = self.client.request("GET", self._path(item, collection=True), query=query).get("items")
        return list(found) if isinstance(found, list) else []

    def log(self, namespace: str, pod: str, container: str, *, previous: bool, lines: int) -> str:
        """The last lines of a container's log."""
        query = {"container": container, "tailLines": str(lines), "previous": str(previous).lower()}
        return self.client.text(f"/api/v1/namespaces/{namespace}/pods/{pod}/log", query)

    def _path(self, item: Mapping[str, Any], *, collection: bool = False) -> str:
        plural, namespaced = self._kind(item)
        path = _base(item)
        if namespaced:
            path += f"/namespaces/{namespace_of(item) or 'default'}"
        return f"{path}/{plural}" if collection else f"{path}/{plural}/{name_of(item)}"

    def _kind(self, item: Mapping[str, Any]) -> tuple[str, bool]:
        built_in = known(item) or _HELPERS.get(kind_id(item))
        if built_in is not None:
            return (built_in.plural, built_in.namespaced) if not isinstance(built_in, tuple) else built_in
        base, kind = _base(item), text_at(item, "kind")
        with self._lock:
            if kind not in self._found.get(base, {}):
                self._found[base] = self._discover(base)
            if kind not in self._found[base]:
                raise UnknownKindError(item)
            return self._found[base][kind]

    def _discover(self, base: str) -> dict[str, tuple[str, bool]]:
        try:
            resources = self.client.request("GET", base).get("resources") or []
        except ApiError as error:
            if error.is_not_found:
                return {}
            raise
        return {entry["kind"]: (entry["name"], bool(entry["namespaced"])) for entry in resources if "/" not in entry["name"]}


_HELPERS = {
    "v1/Event": ("events", True),
    "apps/v1/ReplicaSet": ("replicasets", True),
    "discovery.k8s.io/v1/EndpointSlice": ("endpointslices", True),
}
"""Kinds that no program makes here, and that waiting looks at."""


def _base(item: Mapping[str, Any]) -> str:
    group, version = group_version(item)
    return f"/apis/{group}/{version}" if group else f"/api/{version}"


def _dry(dry_run: bool) -> dict[str, str]:
    return {"dryRun": "All"} if dry_run else {}
