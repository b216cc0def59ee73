"""What rules look at, what they are, and what they say: plain data."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, Final

PROD: Final = "prod"
"""The environment in which policies are mandatory."""


class Level(StrEnum):
    """What a violation means in prod; elsewhere each is advice."""

    ADVISORY = "advisory"
    """It is said."""
    MANDATORY = "mandatory"
    """It ends a preview and a deployment."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Resource:
    """One resource as it would be.

    Attributes:
        type: Its type, as `docker:index/container:Container` or `kubernetes:apps/v1:Deployment`.
        name: Its name in the program.
        properties: Its inputs. What can't be seen stands as a text: see `policies.values`.
        urn: Its URN.
        protect: Pulumi refuses to delete it.
    """

    type: str
    name: str
    properties: Mapping[str, Any] = field(default_factory=dict)
    urn: str = ""
    protect: bool = False

    @property
    def kind(self) -> str:
        """Kubernetes' kind, as `Deployment`; empty for all that is not Kubernetes'."""
        return self.type.rsplit(":", 1)[-1] if self.type.startswith("kubernetes:") else ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Stack:
    """A stack as it would be.

    Attributes:
        environment: `dev`, `staging` or `prod`.
        settings: Its settings by name, groups as mappings, as the user wrote them: what is not written has its default. No secrets.
        waivers: Reasons by a rule's id, or by `<rule>/<resource>`.
        resources: All that would be there.
        today: The day, by which keys are told that end soon; None: not known, and nothing is said of that.
    """

    environment: str = "dev"
    settings: Mapping[str, Any] = field(default_factory=dict)
    waivers: Mapping[str, str] = field(default_factory=dict)
    resources: tuple[Resource, ...] = ()
    today: date | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Violation:
    """What a rule found about the stack as a whole.

    Attributes:
        where: A setting, as `supabase.auth.jwtExpiry`, or the name of a resource.
        message: What is wrong; never a secret.
        urn: Of the resource, where it is one.
    """

    where: str
    message: str
    urn: str = ""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule. It has one or both of its functions.

    Attributes:
        id: As waivers name it.
        demand: What must be so, in a sentence.
        reason: Why.
        fix: What to do about a violation.
        level: What a violation means in prod.
        resource: Yields what is wrong with one resource. Pure.
        stack: Yields what is wrong with the settings, or with resources that have to be seen together. Pure.
        prod_only: It says nothing elsewhere, as what it asks for is no use there.
        secrets: The program keeps it too, for values of secret settings that only it sees. So nobody here can say that a waiver is idle.
        masked: What it can't see where secrets are masked, as in `make preview`; empty: it sees the same.
    """

    id: str
    demand: str
    reason: str
    fix: str
    level: Level = Level.MANDATORY
    resource: Callable[[Resource], Iterator[str]] | None = None
    stack: Callable[[Stack], Iterator[Violation]] | None = None
    prod_only: bool = False
    secrets: bool = False
    masked: str = ""
