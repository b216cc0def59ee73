"""What a stack is, for a person: URLs, env files, services, plugins. Secrets are hidden unless asked for."""

import ipaddress
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from components import env_file_header, env_written
from components.env_file_header import Owner
from toolchain.context import Context
from toolchain.stack.config import project_name
from toolchain.stack.redact import HIDDEN, without_password
from toolchain.stack.state import Output
from toolchain.stack.status import Service
from toolchain.stack.status_report import rows

_STRUCTURED = ("PORTS", "IMAGES", "ENV_FILES", "NOTES", "COMPAT", "WORKLOADS", "APPS", "ENV_VALUES")
"""Outputs that are shown in a way of their own."""
_TENANT: Final = "TENANT_"
"""What the names of the tenants' begin with."""
_OF_TENANT: Final = "tenant-"
"""What stands before a tenant's id where an app's name would."""
_GROUPS: Final[Mapping[str, Sequence[str]]] = {
    "API": ("API_URL", "REST_URL", "GRAPHQL_URL", "FUNCTIONS_URL", "STORAGE_S3_URL", "MCP_URL"),
    "Studio": ("STUDIO_URL", "DASHBOARD_USERNAME", "DASHBOARD_PASSWORD"),
    "Mail that the stack has sent": ("MAILPIT_URL",),
    "Database": ("DB_URL", "POOLER_URL", "POOLER_SESSION_URL", "READ_URL", "READ_URLS"),
    "Database of the tests": ("TEST_DATABASE_URL", "TEST_DIRECT_URL", "TEST_SCHEMA"),
    "Keys": (
        "ANON_KEY",
        "SERVICE_ROLE_KEY",
        "PUBLISHABLE_KEY",
        "SECRET_KEY",
        "JWT_SECRET",
        "JWKS",
        "S3_PROTOCOL_ACCESS_KEY_ID",
        "S3_PROTOCOL_ACCESS_KEY_SECRET",
        "S3_PROTOCOL_REGION",
    ),
    "PostgreSQL without Supabase": ("PLAIN_DB_URL", "PGBOUNCER_URL"),
    "Cache": ("REDIS_URL", "REDIS_COMMANDER_URL"),
    "Object store": ("S3_ENDPOINT", "S3_BUCKET", "S3_REGION", "S3_ACCESS_KEY", "S3_SECRET_KEY"),
    "App": ("APP_URL", "BACKEND_URL", "INSTANCE_ID", "PROJECT_REF"),
}
_MANY: Final = 20
"""From how many tenants on they are only counted."""
_KINDS = {"registry": "real, from a registry", "local": "real, built here", "stub": "stub"}


def render(
    context: Context,
    outputs: Mapping[str, Output],
    services: list[Service] | None,
    stand_ins: Mapping[str, bool],
    show_secrets: bool,
    target: str = "docker",
) -> str:
    """The summary. `services` None: they can't be asked about. `stand_ins`: plugin -> whether it is a stand-in."""
    blocks = [
        [heading(context, services, target)],
        *_values(outputs, show_secrets),
        _apps(outputs),
        _tenants(context, outputs),
        _env_files(context, outputs),
        # What is in a cluster is reached from here by forwarded ports only.
        _supabase_cli(outputs, show_secrets) if target == "docker" else [],
        [*_images(outputs), *(f"    {line}" for line in rows(services or []))],
        _plugins(stand_ins),
        [f"  note: {text}" for text in _plain(outputs, "NOTES", [])],
    ]
    if not show_secrets and any(output.secret for output in outputs.values()):
        blocks.append(["  SHOW_SECRETS=1 shows what is hidden."])
    return "\n\n".join("\n".join(block) for block in blocks if block)


def heading(context: Context, services: list[Service] | None, target: str = "docker") -> str:
    """One line: is it up, or what of it is not well."""
    if target == "managed":
        return f"Stack {context.stack} is up. It runs nothing: others run what it names (see the notes below)."
    what = "containers" if target == "docker" else "workloads"
    needed = [s for s in services or [] if s.needed]
    ill = [s for s in needed if not s.well]
    if services is None:
        word = f"is deployed; its {what} can't be asked about"
    elif not needed:
        word = f"has lost its {what}: make up makes them again"
    elif ill:
        word = f"is not well: {len(ill)} of {len(needed)} {what} ({', '.join(s.container for s in ill)})"
    else:
        word = "is up"
    return f"Stack {context.stack} {word}."


def shown(output: Output, show_secrets: bool) -> str:
    """An output's value; of a secret only what is no secret: the URL around a password."""
    text = str(output.value)
    if output.secret and not show_secrets and not isinstance(output.value, str):
        return HIDDEN  # which part of it is the secret can't be told any more
    if show_secrets or not output.secret:
        # An output that is not marked secret may still be a URL somebody put a password into.
        return text if show_secrets else without_password(text)
    hidden = without_password(text)
    return hidden if "://" in text and hidden != text else HIDDEN


def _values(outputs: Mapping[str, Output], show_secrets: bool) -> list[list[str]]:
    grouped = {name for names in _GROUPS.values() for name in names}
    values = [name for name in outputs if name not in _STRUCTURED and not _is_tenants(name, outputs)]
    others = [name for name in values if name not in grouped]
    width = max(map(len, values), default=0)
    blocks = []
    for title, names in (*_GROUPS.items(), ("Others", others)):
        lines = [f"    {name:<{width}}  {shown(outputs[name], show_secrets)}" for name in names if name in outputs]
        if lines:
            blocks.append([f"  {title}", *lines])
    return blocks


def _plain(outputs: Mapping[str, Output], name: str, default: Any) -> Any:
    output = outputs.get(name)
    return output.value if output and isinstance(output.value, type(default)) else default


def _apps(outputs: Mapping[str, Output]) -> list[str]:
    """A line for each service of the user's own."""
    apps = _plain(outputs, "APPS", {})
    width = max(map(len, apps), default=0)
    lines = [f"    {app:<{width}}  {apps[app].get('url', 'not reached from outside')}" for app in sorted(apps)]
    return ["  Your own services", *lines] if lines else []


def _told(outputs: Mapping[str, Output]) -> dict[str, Any]:
    """What the outputs tell of the tenants, by id."""
    return {name.removeprefix(_TENANT): outputs[name].value for name in sorted(outputs) if _is_tenants(name, outputs)}


def _is_tenants(name: str, outputs: Mapping[str, Output]) -> bool:
    return name.startswith(_TENANT) and isinstance(outputs[name].value, dict)


def _tenants(context: Context, outputs: Mapping[str, Output]) -> list[str]:
    """A line for each tenant; where there are many, how many of each tier. No secret: of its project only the reference."""
    tenants = _told(outputs)
    if len(tenants) > _MANY:
        counted = ", ".join(f"{n} {tier}" for tier, n in sorted(Counter(str(t["tier"]) for t in tenants.values()).items()))
        return [f"  {len(tenants)} tenants: {counted}"]
    lines = []
    width = max((len(told["project"]) for told in tenants.values()), default=0)
    for tenant, told in tenants.items():
        place = told.get("envFile")
        file = None if place is None else context.root / place
        written = "" if file is None else f"  {_place(context, _OF_TENANT + tenant, file)}"
        lines.append(f"    {tenant:<{max(map(len, tenants))}}  {told['tier']:<10}  {told['project']:<{width}}{written}")
    return ["  Tenants", *lines] if lines else []


def _env_files(context: Context, outputs: Mapping[str, Output]) -> list[str]:
    return [f"  env file of {app}: {_place(context, app, path)}" for app, path in _of_apps(context, outputs).items()]


def _place(context: Context, app: str, path: Path) -> str:
    return str(path) if is_here(context, app, path) else f"{path} ({why_not(context, app, path)})"


def is_here(context: Context, app: str, path: Path | None) -> bool:
    """Whether an app's env file is on this machine: that of this stack, and no other in its place."""
    try:
        if path is None or path.is_symlink() or not path.is_file():
            return False
        header = env_file_header.parse(path.read_bytes())
    except OSError:
        return False
    return header is not None and header.owner == _owner(context, app)


def why_not(context: Context, app: str, path: Path | None) -> str:
    """Why an app's env file is not here, and the way to its values."""
    state = "SHOW_SECRETS=1 of make env prints it from the state"
    if path is None:
        return f"the stack writes no such file; {state}"
    if os.path.lexists(path):
        return f"not this stack's file; {state}"
    if env_written.has(context.root, _owner(context, app)):
        return "missing: make up writes it again"
    return f"not written on this machine; {state}"


def _owner(context: Context, app: str) -> Owner:
    return Owner(project_name(context.root), context.stack, app)


def env_files(context: Context, outputs: Mapping[str, Output]) -> dict[str, Path]:
    """The env files of the stack by app, as absolute paths; those of tenants by `tenant-<id>`."""
    theirs = {
        f"{_OF_TENANT}{tenant}": context.root / told["envFile"] for tenant, told in _told(outputs).items() if told.get("envFile")
    }
    return {**_of_apps(context, outputs), **theirs}


def _of_apps(context: Context, outputs: Mapping[str, Output]) -> dict[str, Path]:
    return {app: context.root / path for app, path in _plain(outputs, "ENV_FILES", {}).items()}


def _supabase_cli(outputs: Mapping[str, Output], show_secrets: bool) -> list[str]:
    if "DB_URL" not in outputs:
        return []
    if "supabase-cli" in _plain(outputs, "ENV_FILES", {}):
        return ["  Supabase CLI: its local commands find this stack by the file of supabase-cli above"]
    # Without it the CLI warns that the connection is not encrypted; to a database elsewhere it is to be.
    plain = "?sslmode=disable" if _stays_here(outputs) else ""
    return [f"  Supabase CLI: --remote='{shown(outputs['DB_URL'], show_secrets)}{plain}'"]


def _stays_here(outputs: Mapping[str, Output]) -> bool:
    """Whether DB_URL is the stack's own database on a loopback address of this machine, and says nothing of encryption."""
    at = urlsplit(str(outputs["DB_URL"].value))
    try:
        here = ipaddress.ip_address(at.hostname or "").is_loopback
        # A tunnel to a database that others run begins on a loopback address, too.
        return here and not at.query and at.port is not None and at.port == _plain(outputs, "PORTS", {}).get("postgres")
    except ValueError:
        return False


def _images(outputs: Mapping[str, Output]) -> list[str]:
    images = _plain(outputs, "IMAGES", {})
    if not images:
        return []
    # One image may serve several services; an image counts once.
    kinds = Counter({image["reference"]: image["kind"] for image in images.values()}.values())
    counted = ", ".join(f"{kinds[kind]} {what}" for kind, what in _KINDS.items())
    stubs = sorted(service for service, image in images.items() if image["kind"] == "stub")
    told = [f"  stubs answer health checks only: {', '.join(stubs)}"] if stubs else []
    return [f"  images: {counted}", *told]


def _plugins(stand_ins: Mapping[str, bool]) -> list[str]:
    if not stand_ins:
        return []
    words = [f"{name} ({'stand-in of this project' if own else 'official'})" for name, own in sorted(stand_ins.items())]
    return [f"  plugins: {', '.join(words)}"]
