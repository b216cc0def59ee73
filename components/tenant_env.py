"""The env files of the tenants, and what the stack tells of them. Each file hangs on its tenant's id alone, wherever the list has it."""

from collections import ChainMap
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pulumi

from components import app_env, env_files, env_template, tenants
from components.env_app import App
from components.env_file import EnvFile
from components.plan import Plan
from components.settings import ROOT, Settings
from components.tenants import Tenant

SETTING: Final = "tenantEnvFile"
OUTPUT: Final = "TENANT_"
"""What the name of a tenant's output begins with; its id follows."""


def planned(plan: Plan) -> list[dict[str, Any]]:
    """The files that will be written, with the values that are known before anything is made, for the checks."""
    filler = _Filler(app_env.known_values(plan), plan.settings)
    return [
        {
            "app": tenants.resource_name(tenant),
            "path": str(_path(plan, tenant)),
            "format": tenants.file_format(plan.settings.tenant_env_file).value,
            "overwrite": plan.settings.tenant_env_file["overwrite"],
            "layout": env_files.shape(app),
            "setting": SETTING,
            "values": filler.values(app, tenant),
        }
        for tenant, app in plan.tenants
        if app is not None
    ]


def write(plan: Plan, outputs: Mapping[str, pulumi.Input[Any]], after: pulumi.Resource | None) -> None:
    """Writes the env file of each tenant.

    Args:
        plan: What the stack is made of.
        outputs: The stack's outputs, and what was made for apps alone.
        after: What must be well before an app is told where it is; None where nothing is deployed.
    """
    written = plan.settings.tenant_env_file
    filler = _Filler({**app_env.known_values(plan), **outputs}, plan.settings)
    options = pulumi.ResourceOptions(depends_on=[] if after is None else [after])
    for tenant, app in plan.tenants:
        if app is None:
            continue
        name = tenants.resource_name(tenant)
        EnvFile(
            name,
            app=replace(app, name=name),
            path=str(_path(plan, tenant)),
            fmt=tenants.file_format(written).value,
            overwrite=written["overwrite"],
            values=filler.values(app, tenant),
            setting=SETTING,
            tenant={"id": tenant.id, "tier": tenant.tier.value, "project": tenant.project_ref},
            opts=options,
        )


def outputs(plan: Plan) -> dict[str, pulumi.Input[Any]]:
    """An output for each tenant, so that a preview shows those alone that change. What its project has, it names as every stack does."""
    found: dict[str, pulumi.Input[Any]] = {}
    for tenant, app in plan.tenants:
        told = tenants.told(tenant, None if app is None else _path(plan, tenant), ROOT)
        texts = tenants.own_texts(tenant)
        if texts:
            plain = {name: "".join(map(str, text.parts)) for name, text in texts.items() if not text.secrets}
            hidden = {name: pulumi.Output.secret(value) for name, value in tenants.secret_values(tenant).items()}
            told["outputs"] = dict(sorted({**plain, **hidden}.items()))
        found[OUTPUT + tenant.id] = told
    return found


def _path(plan: Plan, tenant: Tenant) -> Path:
    return tenants.path(tenant.id, plan.settings.tenant_env_file, plan.settings.stack, ROOT)


class _Filler:
    """Fills templates with the stack's values and a tenant's; what no tenant has a say in is made once for all."""

    def __init__(self, sources: Mapping[str, pulumi.Input[Any]], settings: Settings) -> None:
        self.sources = sources
        app = settings.tenant_env_file.get("app", "")
        given = {key: settings.secrets.get(f"appSecrets.{app}.{key}") for key in settings.app_secrets.get(app, ())}
        self.counting = {own: tenants.counting(given, app, own_project=own) for own in (False, True)}
        self.hidden = {key: pulumi.Output.secret(held.get_secret_value()) for key, held in given.items() if held is not None}
        self._common: dict[str, pulumi.Input[str]] = {}

    def values(self, app: App, tenant: Tenant) -> dict[str, pulumi.Input[str]]:
        """Value by key of a tenant's file; variables that need what it does not have are left out."""
        own: dict[str, pulumi.Input[Any]] = {n: value for n, value in tenants.known(tenant, {}).items() if value is not None}
        own |= {name: pulumi.Output.secret(value) for name, value in tenants.secret_values(tenant).items()}
        usable = {name for name in self.sources if tenant.project is None or tenants.is_shared(name)}
        texts = env_files.select(app, usable | own.keys())
        mine = self.counting[tenant.project is not None] - tenant.variables.keys()
        hidden = {key: value for key, value in self.hidden.items() if key in mine}
        return {**{key: self._fill(text, own) for key, text in texts.items()}, **hidden}

    def _fill(self, text: str, own: Mapping[str, pulumi.Input[Any]]) -> pulumi.Input[str]:
        if any(name in own for name in env_template.names(text)):
            return app_env.fill(text, ChainMap(dict(own), dict(self.sources)))
        if text not in self._common:
            self._common[text] = app_env.fill(text, self.sources)
        return self._common[text]
