"""Names, labels and annotations: the one place where those of every object of a stack stand."""

import re
from dataclasses import dataclass
from typing import Any, Final

import pulumi

from components.service import Service
from components.targets.kubernetes.logs_namespace import logs_namespace

NAME: Final = "app.kubernetes.io/name"
INSTANCE: Final = "app.kubernetes.io/instance"
COMPONENT: Final = "app.kubernetes.io/component"
PART_OF: Final = "app.kubernetes.io/part-of"
VERSION: Final = "app.kubernetes.io/version"
MANAGED_BY: Final = "app.kubernetes.io/managed-by"
STACK_ID: Final = "supastack.io/stack-id"
"""Annotation: whose an object is. No label, since its value is known only once it is made."""
NAMESPACE_NAME: Final = "kubernetes.io/metadata.name"
"""Label that the API server puts on every namespace: its name."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Stack:
    """Whose objects are made."""

    project: str
    stack: str
    namespace: str
    """Namespace of all of them."""
    stack_id: pulumi.Input[str] = ""

    @property
    def instance(self) -> str:
        """Value of the label that all objects of the stack have."""
        return f"{self.project}-{self.stack}"

    @property
    def logs_namespace(self) -> str:
        """Namespace of what reads the logs of all pods: it mounts a folder of the node, which no other namespace's level allows."""
        return logs_namespace(self.namespace)

    @staticmethod
    def reads_logs(service: Service) -> bool:
        """Whether it gets the logs of all pods. A stub reads none."""
        return service.collects_logs and service.image.kind != "stub"

    def home(self, service: Service) -> str:
        """The namespace of a service's pods."""
        return self.logs_namespace if self.reads_logs(service) else self.namespace

    def selector(self, service: str) -> dict[str, str]:
        """Labels that choose a service's pods: none of them ever changes, as a workload's selector can't."""
        return {NAME: service, INSTANCE: self.instance}

    def labels(self, component: str, service: str = "", version: str = "") -> dict[str, str]:
        """Labels of an object or a pod.

        Args:
            component: The component of the stack that it belongs to.
            service: Its service; none for what belongs to no one service.
            version: The image's tag; left out where it can't be a label's value.
        """
        found = {INSTANCE: self.instance, COMPONENT: component, PART_OF: "supastack", MANAGED_BY: "pulumi"}
        if service:
            found[NAME] = service
        if re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?", version, re.ASCII):
            found[VERSION] = version
        return found

    def metadata(self, name: str, component: str, service: str = "", version: str = "") -> dict[str, Any]:
        """The metadata of an object in the stack's namespace."""
        return {
            "name": name,
            "namespace": self.namespace,
            "labels": self.labels(component, service, version),
            "annotations": {STACK_ID: self.stack_id},
        }
