"""The tenants of an app as plain data: which values each has, the template of its env file, and what the stack tells of it. Pure."""

import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from components import env_files, env_format, env_template, managed, secret_settings
from components.encode import encode
from components.env_app import App, Variable
from components.env_apps import APPS
from components.env_files import Own
from components.env_format import Format
from components.env_sources import OF_TENANTS
from components.managed import Project
from components.service import Secret, Text
from components.tenant_settings import Tier

if TYPE_CHECKING:
    from pydantic import SecretStr

SHARED: Final = "shared"
"""What is said in place of a reference where a tenant's project is the stack's own."""

OWNER: Final = "tenant-"
"""What the name of a tenant's env file begins with, wherever an app's stands; its id follows."""

OF_ALL: Final = frozenset(
    {
        *("APP_URL", "BACKEND_URL", "APP_PORT", "BACKEND_PORT", "INSTANCE_ID"),
        *("REDIS_URL", "S3_ENDPOINT", "S3_ACCESS_KEY", "S3_SECRET_KEY", "S3_BUCKET", "S3_REGION"),
        *("DB_POOL_SIZE", "SCHEDULED_TASKS"),
    }
)
"""Values of the stack that an enterprise tenant has too, beside the lifetimes of the cache. No other, so that nothing that leads to the
shared project gets into its file, whatever the stack comes to have."""


@dataclass(frozen=True, kw_only=True)
class Tenant:
    """One tenant.

    Attributes:
        project: Its own project; None: it shares the stack's.
        region: Where its data is; None where nothing says so.
        backup: The policy that was agreed on, as it is written.
        variables: Texts of its env file alone.
        secrets: Its secrets by setting; None for what can't be read here.
    """

    id: str
    name: str
    org_id: str
    tier: Tier
    project: Project | None
    region: str | None
    compliance: tuple[str, ...]
    pool_size: int | None
    backup: Mapping[str, Any]
    variables: Mapping[str, str]
    secrets: "Mapping[str, SecretStr | None]"

    @property
    def project_ref(self) -> str:
        """The reference of its project, or `shared`."""
        return SHARED if self.project is None else self.project.ref

    @property
    def facts(self) -> dict[str, str]:
        """What is known of it before anything is made, as its env file may have it."""
        found = {
            "TENANT_ID": self.id,
            "TENANT_NAME": self.name,
            "ORG_ID": self.org_id,
            "TENANT_TIER": self.tier.value,
            "TENANT_REGION": self.region,
            "TENANT_COMPLIANCE": ",".join(self.compliance) or None,
            "DB_POOL_SIZE": None if self.pool_size is None else str(self.pool_size),
        }
        return {name: value for name, value in found.items() if value is not None}


def of(
    given: Iterable[Mapping[str, Any]],
    secrets: "Mapping[str, Mapping[str, SecretStr | None]]",
    *,
    shared: Project | None,
    root: Path,
) -> tuple[Tenant, ...]:
    """The tenants that checked settings name, by their id.

    Args:
        given: The setting `tenants`.
        secrets: The setting `tenantSecrets`; None for what can't be read here.
        shared: The stack's own project, where others run it.
        root: Folder that relative paths start from.
    """
    found = (_tenant(entry, secrets.get(entry["id"], {}), shared, root) for entry in given)
    return tuple(sorted(found, key=lambda tenant: tenant.id))


def _tenant(given: Mapping[str, Any], secrets: "Mapping[str, SecretStr | None]", shared: Project | None, root: Path) -> Tenant:
    project = Project.of(given["project"], root) if given["tier"] is Tier.ENTERPRISE else None
    where = project or shared
    return Tenant(
        id=given["id"],
        name=given.get("name", given["id"]),
        org_id=given.get("orgId", given["id"]),
        tier=given["tier"],
        project=project,
        region=given.get("region") or (where.region if where else None),
        compliance=tuple(sorted(set(given["compliance"]))),
        pool_size=given.get("poolSize"),
        backup={name: getattr(value, "value", value) for name, value in sorted(given["backup"].items())},
        variables=given["variables"],
        secrets=secrets,
    )


# -- values ----------------------------------------------------------------------------------------------------------


def own_texts(tenant: Tenant) -> dict[str, Text]:
    """The outputs of a tenant's own project, by name; nothing where it has none."""
    if tenant.project is None:
        return {}
    return managed.outputs(
        tenant.project, {secret_settings.SINGLE[name] for name in tenant.secrets if name in secret_settings.SINGLE}
    )


def is_shared(name: str) -> bool:
    """Whether a value of the stack is every tenant's, whatever its project."""
    from components import cache_lifetimes

    return name in OF_ALL or name == cache_lifetimes.ALL or name.startswith(cache_lifetimes.PREFIX)


def known(tenant: Tenant, stack: Mapping[str, str | None]) -> dict[str, str | None]:
    """Every value that its env file can be given, by name; None for what is secret or known only once it is made.

    `stack`: the same of the whole stack.
    """
    base = dict(stack) if tenant.project is None else {name: value for name, value in stack.items() if is_shared(name)}
    texts = {name: None if text.secrets else "".join(map(str, text.parts)) for name, text in own_texts(tenant).items()}
    own_cache: dict[str, str | None] = {"REDIS_URL": None} if "redisUrl" in tenant.secrets else {}
    return {**base, **texts, **own_cache, **tenant.facts}


def secret_values(tenant: Tenant) -> dict[str, str]:
    """Its secret values by name, as far as they can be read: never to be shown."""
    held = {
        secret_settings.SINGLE[name]: value.get_secret_value()
        for name, value in tenant.secrets.items()
        if value is not None and name in secret_settings.SINGLE
    }
    found = {
        name: "".join(encode(held[p.name], p.encoding) if isinstance(p, Secret) else str(p) for p in text.parts)
        for name, text in own_texts(tenant).items()
        if text.secrets and set(text.secrets) <= held.keys()
    }
    cache = tenant.secrets.get("redisUrl")
    return found if cache is None else {**found, "REDIS_URL": cache.get_secret_value()}


# -- env files -------------------------------------------------------------------------------------------------------


def counting(hidden: Iterable[str], app: str, *, own_project: bool) -> frozenset[str]:
    """The keys of `appSecrets` that count in a tenant's file, but for those that are among its own variables.

    A tenant with a project of its own has what the template fills from a project from that, or not at all: the value that all others
    have may be the shared project's key.

    Args:
        hidden: Keys that `appSecrets` has for the file's app.
        app: That app; empty where there is none.
        own_project: Whether the tenant has a project of its own.
    """
    theirs = APPS[app].variables if own_project and app in APPS else {}
    return frozenset(key for key in hidden if key not in theirs or not _of_the_project(theirs[key]))


def _of_the_project(variable: Variable) -> list[str]:
    """The values that a variable needs and that are not every tenant's."""
    names = [name for text in (variable.value, variable.instead or "") for name in env_template.names(text)]
    return [name for name in dict.fromkeys(names) if not is_shared(name)]


def elsewhere(app: App) -> dict[str, str]:
    """The variables of a template that a project fills, each with the names of its values: no other project's will do."""
    found = {key: [name for name in _of_the_project(v) if name not in OF_TENANTS] for key, v in app.variables.items()}
    return {key: ", ".join(names) for key, names in found.items() if names}


def template(
    variables: Mapping[str, str], file: Mapping[str, Any], hidden: Iterable[str] = (), *, own_project: bool
) -> App | None:
    """The template of a tenant's env file; None where the tenants have none.

    Args:
        variables: Texts of its file alone.
        file: The setting `tenantEnvFile`, checked.
        hidden: Keys that `appSecrets` has for the file's app (`counting` says which count); of one that is in `variables` too, the tenant's
            own text counts.
        own_project: Whether the tenant has a project of its own.

    Raises:
        ValueError: there is no such app.
    """
    shared = Own.of(file)
    name = file.get("app")
    if name is not None and name not in APPS:
        raise ValueError(f"no app that is built in is called {name}; there are: {', '.join(sorted(APPS))}")
    if name is None and not shared.texts and not variables:
        return None
    own = Own(
        variables={**shared.variables, **variables},
        groups={
            comment: {key: text for key, text in texts.items() if key not in variables}
            for comment, texts in shared.groups.items()
        },
        hidden=counting(hidden, name or "", own_project=own_project) - variables.keys(),
    )
    return env_files.template(name or "", own)


def with_templates(
    tenants: Iterable[Tenant], file: Mapping[str, Any], hidden: Iterable[str] = ()
) -> tuple[tuple[Tenant, App | None], ...]:
    """Each tenant with its template; those of a kind without variables of their own share one. `hidden`: as for `template`."""
    hidden = frozenset(hidden)
    common: dict[bool, App | None] = {}
    found = []
    for tenant in tenants:
        own = tenant.project is not None
        if tenant.variables:
            found.append((tenant, template(tenant.variables, file, hidden, own_project=own)))
            continue
        if own not in common:
            common[own] = template({}, file, hidden, own_project=own)
        found.append((tenant, common[own]))
    return tuple(found)


def resource_name(tenant: Tenant) -> str:
    """The name of its env file among the stack's resources, and of its owner in the file's header: the id alone decides it."""
    return f"{OWNER}{tenant.id}"


def path(tenant: str, file: Mapping[str, Any], stack: str, root: Path) -> Path:
    """Where a tenant's env file is; absolute. `tenant`: its id."""
    chosen = file["path"].replace("${STACK}", stack).replace("${TENANT}", tenant)
    return Path(os.path.normpath(root / chosen))


def file_format(file: Mapping[str, Any]) -> Format:
    """How they are written: as the template says, else as the settings do."""
    name = file.get("app")
    own = APPS[name].format if name is not None and name in APPS else None
    return own or env_format.Format(getattr(file["format"], "value", file["format"]))


# -- what is told ----------------------------------------------------------------------------------------------------


def told(tenant: Tenant, env_file: Path | None, root: Path) -> dict[str, Any]:
    """What the output TENANT_<id> says of it, but for the outputs of its project. A path in `root` is told from there."""
    found: dict[str, Any] = {
        "name": tenant.name,
        "orgId": tenant.org_id,
        "tier": tenant.tier.value,
        "project": tenant.project_ref,
        "region": tenant.region,
        "compliance": list(tenant.compliance) or None,
        "backup": dict(tenant.backup) or None,
        "envFile": None if env_file is None else str(env_file.relative_to(root) if env_file.is_relative_to(root) else env_file),
    }
    return {name: value for name, value in found.items() if value is not None}


def notes(planned: Iterable[tuple[Tenant, App | None]], stack: Mapping[str, str | None]) -> list[str]:
    """What is worth saying of them, one line for all that share a reason.

    Args:
        planned: The tenants with their templates.
        stack: Every value of the whole stack by name, as `known` takes it.
    """
    planned = tuple(planned)
    tenants = [tenant for tenant, _ in planned]
    found = _left_out(planned, stack)
    if agreed := [tenant.id for tenant in tenants if tenant.backup]:
        found.append(
            f"tenants: the backup policies are told, and set by nobody here: set them in the projects' dashboards: {_names(agreed)}"
        )
    if none := [tenant.id for tenant in tenants if tenant.project is not None and not tenant.backup]:
        found.append(f"tenants: with a project of their own, and no backup policy written down: {_names(none)}")
    if held := [tenant.id for tenant in tenants if tenant.project is None and tenant.compliance]:
        found.append(f"tenants: held to rules (compliance), and in one database with the other standard tenants: {_names(held)}")
    return found


def _left_out(planned: Iterable[tuple[Tenant, App | None]], stack: Mapping[str, str | None]) -> list[str]:
    lacking: dict[str, list[str]] = {}
    for tenant, app in planned:
        missing = {} if app is None else env_files.left_out(app, known(tenant, stack))
        if missing:
            keys = "; ".join(f"{key} ({', '.join(names)})" for key, names in missing.items())
            lacking.setdefault(keys, []).append(tenant.id)
    return [f"tenantEnvFile: left out for {_names(ids)}, which has no such value: {keys}" for keys, ids in lacking.items()]


def _names(ids: Collection[str]) -> str:
    most = 5
    shown = ", ".join(list(ids)[:most])
    return shown if len(ids) <= most else f"{shown} and {len(ids) - most} more"
