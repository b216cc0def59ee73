"""The env files of a stack before anything is made: the templates, the values that are known by then, and what can't be filled."""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from components import cache_lifetimes, env_files, env_template, public_names
from components.endpoints import Endpoint
from components.env_app import App
from components.env_apps.supabase import CLI
from components.env_format import Format
from components.env_sources import port_name
from components.ports import BASE
from components.services import postgres
from components.setting_types import Compat
from components.settings import Settings

_OF_THE_APP = ("app", "backend", "shadow")
"""Ports that the stack keeps free for others, and publishes nothing on."""


def templates(settings: Settings) -> tuple[dict[str, App], list[str]]:
    """The template of each app that the settings name, and what is wrong with them, one line each."""
    found, wrong = {}, []
    for name, file in sorted(settings.env_files.items()):
        key = f"{settings.project}:envFiles.{name}"
        try:
            found[name] = env_files.template(name, file.own)
        except ValueError as error:
            wrong.append(f"{key}: {error}.")
            continue
        wrong += [f"{key}: {line}" for line in public_names.problems(found[name]).values()]
        wrong += [f"{key}: {variable} is given twice. Keep one of them." for variable in file.own.twice]
        if file.format is not Format.TOML:
            dotted = sorted(variable for variable in file.own.texts if "." in variable)
            wrong += [f"{key}: {variable} is no name for an environment variable. Take the dots out." for variable in dotted]
    if CLI.name in settings.env_files:
        wrong += [f"{settings.project}:envFiles.{CLI.name}: {reason}" for reason in _out_of_the_clis_reach(settings)]
    for path in settings.secrets:
        app = path.split(".")[1] if path.startswith("appSecrets.") else ""
        known = app in settings.env_files or app in settings.given("apps") or app == settings.tenant_env_file.get("app")
        if app and not known:
            wrong.append(
                f"{settings.project}:{path}: there is no app {app}. Add it under apps or envFiles, name it as tenantEnvFile.app, or "
                "remove this."
            )
    return found, wrong


def _out_of_the_clis_reach(settings: Settings) -> list[str]:
    """Why the Supabase CLI's local commands can't use this stack: login, password and database have no key in its config.toml."""
    found = []
    if settings.compat is not Compat.CLI:
        found.append(
            "the Supabase CLI's local commands know one password, postgres. Set compat: cli, which gives the stack that; or leave the file "
            "out and run the CLI with --remote, as the summary of `make up` shows."
        )
    if (name := settings.given("supabase")["database"]["name"]) != postgres.DEFAULT_DATABASE:
        found.append(
            f"the Supabase CLI's local commands know one database, postgres, and this stack's is {name}. Rename it, or use --remote."
        )
    return found


def settled(settings: Settings, host: str, published: Mapping[str, Endpoint], site: str) -> dict[str, str]:
    """The values that stand in the settings and the port plan: nothing in them is secret.

    Args:
        settings: Of the stack.
        host: Under which this machine reaches what is bound on it: the app, and what the stack publishes here.
        published: Where programs outside the stack reach what it publishes, by name in the port plan.
        site: Where auth sends people back to.
    """
    named = [name for name in BASE if name in published or name in _OF_THE_APP]
    return {
        **{port_name(name): str(published[name].port if name in published else settings.ports[name]) for name in named},
        "ADMIN_EMAIL": settings.admin.email,
        "ADMIN_NAME": settings.admin.name,
        "APP_URL": f"http://{Endpoint(host, settings.ports['app'])}",
        "BACKEND_URL": f"http://{Endpoint(host, settings.ports['backend'])}",
        "INSTANCE_ID": str(settings.instance),
        **_of_the_apps_own(settings),
        **(
            _of_supabase(settings.given("supabase"), site)
            if settings.supabase.enabled and settings.supabase.managed is None
            else {}
        ),
    }


def _of_the_apps_own(settings: Settings) -> dict[str, str]:
    """What apps are told of how they are meant to run: the size of their pool, the lifetimes of the cache, the tasks by the clock."""
    found = cache_lifetimes.values(settings.given("cache")["lifetimes"])
    if (size := settings.given("app").get("poolSize")) is not None:
        found["DB_POOL_SIZE"] = str(size)
    tasks = settings.given("supabase")["database"]["schedule"]
    if on := {name: {k: v for k, v in task.items() if k != "enabled"} for name, task in sorted(tasks.items()) if task["enabled"]}:
        found["SCHEDULED_TASKS"] = json.dumps(on, sort_keys=True)
    return found


def _of_supabase(supabase: Mapping[str, Any], site: str) -> dict[str, str]:
    auth, rest = supabase["auth"], supabase["rest"]
    found = {"SITE_URL": site, "JWT_EXPIRY": str(auth["jwtExpiry"])}
    if "schemas" in rest:
        found["API_SCHEMAS"] = json.dumps(rest["schemas"])
    if "maxRows" in rest:
        found["API_MAX_ROWS"] = str(rest["maxRows"])
    return found


def app_ports(templates: Mapping[str, App], settings: Settings) -> list[dict[str, Any]]:
    """The ports that the apps of the env files listen on themselves: `name` in the port plan, `port`, `bind` and which `app`."""
    found: dict[str, str] = {}
    for app, template in sorted(templates.items()):
        used = {name for variable in template.variables.values() for name in env_template.names(variable.value)}
        for name in ("app", "backend"):
            if used & {port_name(name), f"{name.upper()}_URL"}:
                found.setdefault(name, app)
    return [
        {"name": name, "port": settings.ports[name], "bind": settings.bind_address, "app": app}
        for name, app in sorted(found.items())
    ]


MADE: Final = ("SETUP_PASSWORD", "ADMIN_PASSWORD")
"""Values that are made for the apps alone, whatever the stack has."""


def notes(templates: Mapping[str, App], available: Collection[str]) -> Sequence[str]:
    """Which variables that an app needs are left out, and why: one line for each app."""
    found = []
    for name, app in sorted(templates.items()):
        missing = env_files.left_out(app, available)
        if missing:
            keys = "; ".join(f"{key} ({', '.join(names)})" for key, names in missing.items())
            found.append(f"envFiles.{name}: left out, since the stack has no such value: {keys}")
    return found
