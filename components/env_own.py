"""The template of an app as a stack file has it, read without the rest of the settings: what checks an env file must not need them."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from components import env_files
from components.config_values import from_config, with_defaults
from components.env_app import App
from components.env_files import Own
from components.setting_schema import fields, key_text, validate
from components.settings import PROJECT
from components.stack_file import read
from components.tenant_settings import Tier


def template_of(app: str, config: Path | None) -> App:
    """The template of an app: the built-in one, with what the stack file adds to it, or one of the stack's own.

    Args:
        app: Its name; `tenant-<id>` for the env file of a tenant.
        config: A stack file; None: only what is built in counts.

    Raises:
        ValueError: There is no such app, or what the file says of env files is wrong.
        OSError: The file can't be read.
    """
    found = read(config.read_text(encoding="utf-8")) if config else {}
    return _of_a_tenant(app, found, config) or env_files.template(app, _own(app, found, config))


def secrets_of(app: str, config: Path | None) -> dict[str, str]:
    """The variables of an app that the stack's outputs can't fill, each with what does: a secret setting (`appSecrets.<app>.<variable>`).

    Args:
        app: Its name; `tenant-<id>` for the env file of a tenant, whose secrets are those of the app that all of them follow. Of a tenant
            with a project of its own also all that is the project's: the stack's outputs of these names are the shared one's.
        config: A stack file; None: there are none.

    Raises:
        ValueError: the stack file can't be read as one, or what it says of tenants is wrong.
        OSError: it can't be read.
    """
    if config is None:
        return {}
    found = read(config.read_text(encoding="utf-8"))
    given = _tenant(app, found, config)
    if given is None:
        return {key: f"appSecrets.{app}.{key}" for key in _secrets(app, found)}
    from components import tenants

    tenant, file = given
    own, holder = tenant["tier"] is Tier.ENTERPRISE, file.get("app", "")
    counting = tenants.counting(_secrets(holder, found), holder, own_project=own) - tenant["variables"].keys()
    secrets = {key: f"appSecrets.{holder}.{key}" for key in counting}
    template = _of_a_tenant(app, found, config) if own else None
    elsewhere = {} if template is None else tenants.elsewhere(template)
    return {**{key: f"{names} of its own" for key, names in elsewhere.items()}, **secrets}


def _secrets(app: str, found: Mapping[str, Any]) -> Iterable[str]:
    given = _given(found, "appSecrets")
    hidden = given.get(app) if isinstance(given, dict) else None
    return hidden if isinstance(hidden, dict) else ()


_NOTHING = Own(variables={}, groups={})


def _own(app: str, found: Mapping[str, Any], config: Path | None) -> Own:
    values = _checked(("envFiles",), app, found, config)
    file = values.get("envFiles", {}).get(app)
    return _NOTHING if file is None else Own.of(file, _secrets(app, found))


def _of_a_tenant(app: str, found: Mapping[str, Any], config: Path | None) -> App | None:
    """The template of a tenant's env file; None for an app, and where the tenants have none."""
    given = _tenant(app, found, config)
    if given is None:
        return None
    from components import tenants

    tenant, file = given
    hidden = _secrets(file.get("app", ""), found)
    return tenants.template(tenant["variables"], file, hidden, own_project=tenant["tier"] is Tier.ENTERPRISE)


def _tenant(app: str, found: Mapping[str, Any], config: Path | None) -> tuple[Mapping[str, Any], Mapping[str, Any]] | None:
    """A tenant's entry in the setting `tenants`, and the setting `tenantEnvFile`; None where the app is no tenant."""
    if not app.startswith("tenant-") or _given(found, "tenants") is None:
        return None
    from components import tenants  # few stacks have any

    values = _checked(("tenantEnvFile", "tenants"), None, {"tenantEnvFile": {}, **found}, config)
    mine = [tenant for tenant in values["tenants"] if tenant.get("id") == app.removeprefix(tenants.OWNER)]
    return (mine[0], values["tenantEnvFile"]) if mine else None


def _given(found: Mapping[str, Any], name: str) -> Any:
    return found.get(f"{PROJECT}:{name}", found.get(name))


def _checked(names: tuple[str, ...], app: str | None, found: Mapping[str, Any], config: Path | None) -> dict[str, Any]:
    """These settings, those that the file has. Of a group by app only what is wrong of this one counts."""
    declared = fields()
    given = {name: _given(found, name) for name in names if _given(found, name) is not None}
    values, problems = validate(
        {name: with_defaults(declared[name], from_config(declared[name], value)) for name, value in given.items()}
    )
    mine = [p for p in problems if app is None or len(p.path) < 2 or p.path[1] == app]
    if mine:
        raise ValueError("\n".join(f"{config}: {key_text(PROJECT, p.path)}: {p.reason}; {p.fix}" for p in mine))
    return values
