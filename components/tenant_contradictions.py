"""What the settings of tenants, the lifetimes of the cache and the scheduled tasks can't say together, and what is worth a warning.

Reasons name a tenant by its id, since a path only has its place in the list.
"""

import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from typing import Any, Final

from components import cache_address, cache_lifetimes, env_template, secret_settings
from components.env_apps import APPS
from components.env_format import Format
from components.setting_contradictions import Context, Values, env_file_path, rule
from components.setting_schema import Problem, default_of, fields, key_text, nearest, shown
from components.setting_values import Ciphertext, Refused
from components.supabase_settings.managed import ManagedSettings
from components.tenant_settings import Tier

_SOME: Final = 5
"""How many tenants are named in one line."""
_ANY_TIER: Final = ("redisUrl",)
"""Secrets that a standard tenant can have too."""


def _each(values: Values) -> Iterator[tuple[int, str, Mapping[str, Any]]]:
    """The tenants that have an id, with their place in the list."""
    for position, tenant in enumerate(values["tenants"]):
        if "id" in tenant:
            yield position, tenant["id"], tenant


def _enterprise(values: Values) -> Iterator[tuple[int, str, Mapping[str, Any]]]:
    return ((n, name, tenant) for n, name, tenant in _each(values) if tenant["tier"] is Tier.ENTERPRISE)


@rule("tenants")
def _each_tenant_is_one(values: Values, _context: Context) -> Iterator[Problem]:
    ids: dict[str, int] = {}
    orgs: dict[str, str] = {}
    for position, tenant in enumerate(values["tenants"]):
        path = ("tenants", position)
        if "id" not in tenant:
            yield Problem(path=(*path, "id"), value=None, reason="a tenant has an id", fix='give it one, as in "acme"')
            continue
        name = tenant["id"]
        if name in ids:
            reason = f"the tenant {name} stands in the list already, as tenants[{ids[name]}]"
            yield Problem(
                path=(*path, "id"), value=shown(name), reason=reason, fix="remove one of them, or give it an id of its own"
            )
            continue
        ids[name] = position
        org = tenant.get("orgId", name)
        if tenant["tier"] is Tier.STANDARD and org in orgs:
            reason = f"the rows of the tenant {orgs[org]} have the same id in the shared database: each would see the other's"
            yield Problem(path=(*path, "orgId"), value=shown(org), reason=reason, fix="give each an id of its own")
        elif tenant["tier"] is Tier.STANDARD:
            orgs[org] = name


@rule("tenants", "supabase.managed")
def _the_tier_says_who_has_a_project(values: Values, context: Context) -> Iterator[Problem]:
    usual = default_of(ManagedSettings)
    shared = values["supabase"]["managed"].get("ref")
    refs: dict[str, str] = {shared: "the stack itself (supabase.managed.ref)"} if shared else {}
    for position, name, tenant in _each(values):
        given, path = tenant["project"], ("tenants", position, "project")
        own = [key for key in given if getattr(given[key], "value", given[key]) != usual.get(key)]
        if tenant["tier"] is Tier.STANDARD:
            if own:
                reason = f"the tenant {name} is standard, which shares the stack's project"
                fix = "set its tier to enterprise, or remove the project"
                yield Problem(path=(*path, "ref") if "ref" in own else (*path, own[0]), value=None, reason=reason, fix=fix)
            if tenant["backup"]:
                reason = f"the tenant {name} is standard: its rows are backed up with all others', by the shared project's policy"
                fix = "remove it, or give the tenant a project of its own (tier: enterprise)"
                yield Problem(path=("tenants", position, "backup"), value=None, reason=reason, fix=fix)
            continue
        if "ref" not in given:
            key = key_text(context.project, (*path, "ref"))
            reason = f"the tenant {name} is enterprise, and nothing names its project"
            fix = f"give the project's reference: pulumi config set --path '{key}' REF --stack {context.stack}; or set its tier to standard"
            yield Problem(path=(*path, "ref"), value=None, reason=reason, fix=fix)
        elif (ref := given["ref"]) in refs:
            reason = f"the tenant {name} has a project of its own, and this one is that of {refs[ref]}"
            fix = "take the reference from the tenant's own project; if it has none, its tier is standard"
            yield Problem(path=(*path, "ref"), value=shown(ref), reason=reason, fix=fix)
        else:
            refs[ref] = f"the tenant {name}"


@rule("tenants")
def _regions_agree(values: Values, _context: Context) -> Iterator[Problem]:
    from components.managed import region_of

    for position, name, tenant in _enterprise(values):
        given, path = tenant["project"], ("tenants", position)
        pooler = region_of(given.get("poolerHost"))
        said = given.get("region") or pooler
        if pooler is not None and said != pooler:
            reason = f"the pooler of a project stands beside it, and that of the tenant {name} is in {pooler}"
            fix = "take both from the project's dashboard, or remove it: poolerHost says the region"
            yield Problem(path=(*path, "project", "region"), value=shown(said), reason=reason, fix=fix)
        if said is not None and tenant.get("region", said) != said:
            reason = f"the project of the tenant {name} is in {said}"
            fix = "remove it: the project says the region; a project is moved to another one by making a new one there"
            yield Problem(path=(*path, "region"), value=shown(tenant["region"]), reason=reason, fix=fix)
        if said is not None and tenant["backup"].get("crossRegion") == said:
            reason = f"the project of the tenant {name} is in that region itself"
            yield Problem(
                path=(*path, "backup", "crossRegion"), value=shown(said), reason=reason, fix="choose another one, or remove it"
            )


# -- secrets ---------------------------------------------------------------------------------------------------------


@rule("tenants", "tenantSecrets")
def _secrets_belong_to_a_tenant(values: Values, context: Context) -> Iterator[Problem]:
    tiers = {name: tenant["tier"] for _, name, tenant in _each(values)}
    for name, secrets in values.get("tenantSecrets", {}).items():
        if name not in tiers:
            guess = nearest(name, list(tiers))
            hint = f"did you mean {guess!r}? Else " if guess else ""
            command = f"pulumi config rm --path '{key_text(context.project, ('tenantSecrets', name))}' --stack {context.stack}"
            yield Problem(
                path=("tenantSecrets", name), value=None, reason="there is no such tenant", fix=f"{hint}remove them: {command}"
            )
        elif tiers[name] is Tier.STANDARD:
            for secret in sorted(set(secrets) - set(_ANY_TIER)):
                path = ("tenantSecrets", name, secret)
                command = f"pulumi config rm --path '{key_text(context.project, path)}' --stack {context.stack}"
                reason = f"the tenant {name} is standard, and has the shared project's"
                yield Problem(path=path, value=None, reason=reason, fix=f"remove it: {command}; or set its tier to enterprise")


@rule("tenants", "tenantSecrets", "tenantEnvFile", "appSecrets", "cache.lifetimes")
def _secrets_are_there(values: Values, context: Context) -> Iterator[Problem]:
    for _, name, tenant in _enterprise(values):
        held = values.get("tenantSecrets", {}).get(name, {})
        needed = {"databasePassword": "its project has its password already, and nobody can make it here"}
        for output, keys in _needed(values, tenant).items():
            needed.setdefault(output, f"{' and '.join(keys)} of its env file can't be filled without it")
        for secret, reason in needed.items():
            if secret not in held:
                path = ("tenantSecrets", name, secret)
                command = f"pulumi config set --secret --path '{key_text(context.project, path)}' --stack {context.stack}"
                yield Problem(
                    path=path,
                    value=None,
                    reason=f"the tenant {name} is enterprise: {reason}",
                    fix=f"run: {command}  (it asks for the value)",
                    missing=path,
                )


@rule("tenants", "tenantEnvFile", "appSecrets", "supabase.enabled", "supabase.managed", "cache.lifetimes")
def _secrets_of_the_shared_project_are_there(values: Values, context: Context) -> Iterator[Problem]:
    """A stack of its own makes them; where others run the project, only they can."""
    if "ref" not in values["supabase"]["managed"]:
        return
    lacking: dict[str, tuple[set[str], set[str]]] = {}
    for _, name, tenant in _each(values):
        if tenant["tier"] is not Tier.STANDARD:
            continue
        for secret, keys in _needed(values, tenant).items():
            if secret not in context.secrets:
                variables, ids = lacking.setdefault(secret, (set(), set()))
                variables.update(keys)
                ids.add(name)
    for secret, (variables, ids) in sorted(lacking.items()):
        some = sorted(ids)[:_SOME]
        others = f" and {len(ids) - len(some)} more" if len(ids) > len(some) else ""
        command = f"pulumi config set --secret {context.project}:{secret} --stack {context.stack}"
        yield Problem(
            path=(secret,),
            value=None,
            reason=f"others run the shared project (supabase.managed.ref), and {' and '.join(sorted(variables))} of the env files of "
            f"{', '.join(some)}{others} can't be filled without it",
            fix=f"run: {command}  (it asks for the value)",
            missing=(secret,),
        )


def _hidden(values: Values) -> Collection[str]:
    """The variables of the tenants' env files that are secret settings of their app."""
    held: Mapping[str, Mapping[str, Any]] = values.get("appSecrets", {})
    return held.get(values["tenantEnvFile"].get("app", ""), {}).keys()


def _needed(values: Values, tenant: Mapping[str, Any]) -> dict[str, list[str]]:
    """The secrets that what must stand in a tenant's env file is made of, with the variables that need each."""
    from components.managed import KEYS
    from components.tenants import counting

    file = values["tenantEnvFile"]
    settings = {secret: setting for setting, secret in secret_settings.SINGLE.items()}
    of_output = {output: settings[secret] for output, secret in KEYS.items()}
    texts = {**file["variables"], **{k: t for group in file["groups"].values() for k, t in group["variables"].items()}}
    if (app := APPS.get(file.get("app", ""))) is not None:
        texts = {**{key: variable.value for key, variable in app.variables.items() if variable.required}, **texts}
    hidden = counting(_hidden(values), file.get("app", ""), own_project=tenant["tier"] is Tier.ENTERPRISE)
    texts = {**{key: text for key, text in texts.items() if key not in hidden}, **tenant["variables"]}
    found: dict[str, list[str]] = {}
    for key, text in texts.items():
        for output in env_template.names(text):
            if output in of_output:
                found.setdefault(of_output[output], []).append(key)
    return found


@rule("tenants", "tenantSecrets")
def _secrets_are_the_projects(values: Values, context: Context) -> Iterator[Problem]:
    refs = {name: tenant["project"].get("ref") for _, name, tenant in _enterprise(values)}
    everybody = {name for _, name, _ in _each(values)}
    for name, secrets in values.get("tenantSecrets", {}).items():
        for secret, value in secrets.items():
            if isinstance(value, Ciphertext) or name not in (everybody if secret in _ANY_TIER else refs):
                continue
            for reason, fix in _wrong(secret, value, refs.get(name), context):
                yield Problem(path=("tenantSecrets", name, secret), value=None, reason=f"of the tenant {name}: {reason}", fix=fix)


_FORMED: Final = ("anonKey", "serviceRoleKey", "publishableKey", "secretKey", "jwtSecret")
"""Secrets whose form says what they are; the stack's settings of these names check it."""


def _wrong(secret: str, value: str, ref: str | None, context: Context) -> Iterator[tuple[str, str]]:
    """What is wrong with a secret of a project, and the fix. Neither shows anything of it."""
    from components import keys

    if secret == "redisUrl":
        try:
            cache_address.parse(value)
        except Refused as error:
            yield error.reason, error.fix
        return
    # A hosted project's password and S3 keys stand in URLs and env files alone, which carry anything.
    check = fields()[secret].setting.check if secret in _FORMED else None
    try:
        if check is not None:
            check(value)
    except Refused as error:
        fix = "take it from the project's dashboard (API keys), whole" if secret.endswith("Key") else error.fix
        yield error.reason, fix
        return
    if secret in ("anonKey", "serviceRoleKey"):
        if ref is not None and keys.unverified(value)[1].get("ref") != ref:
            # The other project is not named: the value is a secret.
            yield (
                "it is the key of another project: its claim ref is not the project's",
                "take both keys from the tenant's own project",
            )
        end = keys.expiry(value)
        if end is not None and end < keys.seconds(context.today):
            yield "it has ended (claim exp): the project refuses it", "make a new one in the project's dashboard (JWT keys)"


def open_caches(values: Values) -> Iterator[tuple[str, str]]:
    """The tenants whose own cache is reached unencrypted over a network, as far as that can be read here, each with the cache's host."""
    for _, name, _ in _each(values):
        url = values.get("tenantSecrets", {}).get(name, {}).get("redisUrl")
        if isinstance(url, str):
            with suppress(Refused):  # it is told elsewhere
                if (at := cache_address.parse(url)).open:
                    yield name, at.host


# -- files -----------------------------------------------------------------------------------------------------------


@rule("tenants", "tenantEnvFile", "appSecrets", "envFiles.*.path", "instance")
def _each_tenant_has_a_file_of_its_own(values: Values, context: Context) -> Iterator[Problem]:
    from components.tenants import path as path_of

    file, key = values["tenantEnvFile"], ("tenantEnvFile", "path")
    ids = [name for _, name, _ in _each(values)]
    if (app := file.get("app")) is not None and app not in APPS:
        guess = nearest(app, list(APPS))
        fix = f"{f'did you mean {guess!r}? ' if guess else ''}There are: {', '.join(sorted(APPS))}; or leave it out, and give variables"
        yield Problem(path=("tenantEnvFile", "app"), value=shown(app), reason="no app that is built in has that name", fix=fix)
    keys = [*file["variables"], *(name for group in file["groups"].values() for name in group["variables"])]
    for name in sorted({name for name in keys if keys.count(name) > 1}):
        yield Problem(path=("tenantEnvFile", "variables", name), value=None, reason="it is given twice", fix="keep one of them")
    for name in sorted(set(keys) & set(_hidden(values))):
        secret = key_text(context.project, ("appSecrets", app or "", name))
        fix = f"keep one of the two: pulumi config rm --path '{secret}' --stack {context.stack}"
        yield Problem(path=("tenantEnvFile", "variables", name), value=None, reason=f"{secret} gives it too", fix=fix)
    if not ids:
        return
    fmt = APPS[app].format if app in APPS else None
    if fmt is not Format.TOML:
        for name in sorted({*keys, *(key for _, _, tenant in _each(values) for key in tenant["variables"])}):
            if "." in name:
                reason = f"{name} is no name for an environment variable"
                yield Problem(path=("tenantEnvFile", "variables", name), value=None, reason=reason, fix="take the dots out")
    value = shown(file["path"])
    if len(ids) > 1 and "${TENANT}" not in file["path"]:
        reason = "all tenants would have the same file"
        yield Problem(path=key, value=value, reason=reason, fix='put ${TENANT} into it, as in ".env.${STACK}.${TENANT}"')
        return
    others = {
        env_file_path(app, other.get("path"), values["instance"], context.stack, context.root): app
        for app, other in values["envFiles"].items()
    }
    for name in ids:
        place = path_of(name, file, context.stack, context.root)
        if place in others:
            reason = f"the file of the tenant {name} would be that of {others[place]}: {os.path.relpath(place, context.root)}"
            yield Problem(path=key, value=value, reason=reason, fix="choose another path, or rename the tenant or the stack")
        inside = place.relative_to(context.root).parts if place.is_relative_to(context.root) else ()
        reserved = bool(inside) and inside[0] in (".git", ".supastack", ".venv")
        if place == context.root or reserved or (len(inside) == 1 and place.match("Pulumi*.yaml")):
            yield Problem(
                path=key, value=value, reason="that place is kept for other things", fix='choose another, as ".env.${TENANT}"'
            )
            return


# -- lifetimes and tasks ---------------------------------------------------------------------------------------------


@rule("cache.lifetimes")
def _each_lifetime_has_a_variable_of_its_own(values: Values, _context: Context) -> Iterator[Problem]:
    holders: dict[str, str] = {}
    for kind in sorted(values["cache"]["lifetimes"]):
        name = cache_lifetimes.variable(kind)
        if name in holders:
            reason = f"{holders[name]} is {name} too"
            yield Problem(path=("cache", "lifetimes", kind), value=None, reason=reason, fix="rename one of them")
        holders.setdefault(name, kind)


@rule("supabase.database.schedule")
def _each_task_says_when_and_what(values: Values, _context: Context) -> Iterator[Problem]:
    for name, task in values["supabase"]["database"]["schedule"].items():
        path = ("supabase", "database", "schedule", name)
        if not task["enabled"]:
            continue
        if "schedule" not in task:
            yield Problem(
                path=(*path, "schedule"), value=None, reason="nothing says when it runs", fix='write it as in "0 3 * * *"'
            )
        if ("sql" in task) == ("function" in task):
            reason = "it says both what the database runs and what is called" if "sql" in task else "nothing says what it does"
            yield Problem(path=(*path, "sql"), value=None, reason=reason, fix="give one of sql and function")


def _shortened(names: list[str]) -> str:
    return ", ".join(sorted(names)[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _without_effect(values: Values) -> dict[str, list[str]]:
    """The variables of `appSecrets` that are a project's in the template, each with the tenants that have that of their own project."""
    given = _hidden(values)
    if not given:
        return {}
    from components.tenants import counting

    theirs = sorted(set(given) - counting(given, values["tenantEnvFile"].get("app", ""), own_project=True))
    found = {key: [name for _, name, tenant in _enterprise(values) if key not in tenant["variables"]] for key in theirs}
    return {key: ids for key, ids in found.items() if ids}


def tenant_warnings(values: Values, context: Context) -> Iterator[str]:
    """What is allowed but worth saying, one line each. The settings have no problem."""
    file = values["tenantEnvFile"]
    written = bool(file.get("app") or file["variables"] or file["groups"])
    if values["tenants"] and not written and not any(tenant["variables"] for tenant in values["tenants"]):
        yield f"{context.project}:tenants: they get no env files, since {context.project}:tenantEnvFile names no app and no variables"
    if not values["tenants"] and written:
        yield f"{context.project}:tenantEnvFile has no effect: there are no tenants"
    for secret, ids in _without_effect(values).items():
        key = key_text(context.project, ("appSecrets", file["app"], secret))
        yield (
            f"{key} has no effect for {_shortened(ids)}: a tenant with a project of its own has that variable from its project, or not "
            "at all"
        )
    ruled = [
        name
        for _, name, tenant in _enterprise(values)
        if tenant["compliance"] and values["cache"]["enabled"] and "redisUrl" not in values.get("tenantSecrets", {}).get(name, {})
    ]
    if ruled:
        yield (
            f"{context.project}:tenants: held to rules (compliance), and with the cache of all others: {_shortened(ruled)}; "
            f"{context.project}:tenantSecrets.<tenant>.redisUrl gives a tenant its own"
        )
    if unencrypted := [name for name, _ in open_caches(values)]:
        yield (
            f"{context.project}:tenantSecrets.<tenant>.redisUrl is redis:// for {_shortened(unencrypted)}: the password and what is "
            "cached travel unencrypted; write rediss:// where the cache speaks TLS"
        )
    some = next((name for _, name, _ in _each(values)), None)
    if written and some is not None:
        from components.tenants import path as path_of

        place = path_of(some, file, context.stack, context.root)
        if not place.is_relative_to(context.root):
            yield f"{context.project}:tenantEnvFile.path is outside the project's folder: see that Git ignores {place} and its like"
