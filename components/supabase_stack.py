"""The SupabaseStack component: a whole Supabase, as upstream's self-hosted set runs it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, NotRequired, TypedDict
from urllib.parse import urlsplit

import pulumi

from components import absent_services, managed, placing, project_ref, schema_for_tests, supabase_outputs, supabase_secrets
from components.encode import encode
from components.endpoints import Endpoint
from components.logs_first import with_logs_first
from components.service import Port, Secret, Service, Text, text, unprovided
from components.services import (
    analytics,
    auth,
    database_bootstrap,
    database_engine,
    database_sync,
    functions,
    gateway,
    imgproxy,
    mail,
    meta,
    pooler,
    realtime,
    realtime_tables,
    rest,
    schedule,
    schemas,
    secret_names,
    storage,
    storage_buckets,
    studio,
    vector,
)
from components.services.context import S3, Context, Urls
from components.setting_groups import complete, off
from components.setting_schema import default_of
from components.setting_types import SupabaseSettings
from components.supabase_settings.database_engine import DatabaseEngine
from components.supabase_settings.override import SERVICES
from components.supabase_settings.storage import StorageBackend
from components.targets.placement import Placement, public_url, published, published_host, reached, release_of, secrets_change

_BUILD: Final[Mapping[str, Callable[[Context], Service | None]]] = {
    "postgres": database_engine.server,
    "gateway": gateway.gateway,
    "auth": auth.auth,
    "rest": rest.rest,
    "realtime": realtime.realtime,
    "storage": storage.storage,
    "imgproxy": imgproxy.imgproxy,
    "meta": meta.meta,
    "functions": functions.functions,
    "studio": studio.studio,
    "pooler": pooler.pooler,
    "analytics": analytics.analytics,
    "vector": vector.vector,
    "mail": mail.mail,
}
"""How each service is made, by name; None where others run it. A new one is a file in `components.services` and a line here."""

_JOBS: Final[Sequence[Callable[[Context], Service | None]]] = (
    database_bootstrap.database_bootstrap,
    database_sync.database_sync,
    realtime_tables.realtime_tables,
    schemas.schemas,
    schedule.schedule,
    storage_buckets.storage_buckets,
)
"""Jobs that the settings may ask for; None where they do not."""


class ObjectStore(TypedDict):
    """The object store in which Storage keeps its files, where the settings choose it."""

    endpoint: str
    """Its address inside the stack, `http://host:port`."""
    bucket: str
    region: str
    external: NotRequired[bool]
    """Whether others run it. Default: the stack does."""
    authority: NotRequired[str]
    """Certificate of the authority that signed its own, as PEM text. Default: one that everybody trusts."""
    access_key: pulumi.Input[str]
    secret_key: pulumi.Input[str]


class SupabaseStackArgs(TypedDict):
    """What a Supabase stack can be told."""

    placement: Placement
    """Where it runs."""
    settings: NotRequired[SupabaseSettings]
    """The stack's settings; defaults for what is left out."""
    secrets: NotRequired[dict[str, pulumi.Input[str]]]
    """The user's own secrets by name (`components.services.secret_names`); the others are generated. Always handled as secrets."""
    object_store: NotRequired[ObjectStore]
    """The store for Storage's files; without it they lie on a volume."""
    root: NotRequired[str]
    """Folder that relative paths in the settings start from. Default: the one that the program runs in."""


def _wanted(settings: Mapping[str, Any], service: str) -> bool:
    """Whether the settings turn a service on. The database is what all others need: it goes only with the stack."""
    return bool(settings["enabled"] and settings.get(service, {}).get("enabled", True))


def _asked_for(wanted: Iterable[str]) -> Sequence[str]:
    """Those of the services that are on that are so by the settings alone, not by default."""
    return [s for s in wanted if default_of(SupabaseSettings).get(s, {}).get("enabled") is False]


def notes(args: SupabaseStackArgs) -> Sequence[str]:
    """What differs from what was asked for, for people. Pure."""
    if _managed(args) is not None:
        return ()
    settings = complete("supabase", args.get("settings"))
    release = release_of(args["placement"])
    on = [service for service in SERVICES if _wanted(settings, service)]
    running = [service for service in on if release.has(release.role(service))]
    return [
        *absent_services.notes(release, on, _asked_for(on)),
        *absent_services.without_effect(release, settings, args.get("secrets", {}), running),
        *(storage.notes(settings) if "storage" in running else ()),
    ]


def _managed(args: SupabaseStackArgs) -> managed.Project | None:
    """The project that others run; None where the stack has its own, or none."""
    given = args.get("settings", {})
    if "ref" not in given.get("managed", {}) or not given.get("enabled", True):
        return None
    return managed.Project.of(complete("supabase", given)["managed"], args.get("root", "."))


def _context(args: SupabaseStackArgs) -> Context:
    settings = complete("supabase", args.get("settings"))
    placement = args["placement"]
    release = release_of(placement)
    wanted = [service for service in SERVICES if _wanted(settings, service)]
    if wanted:
        release.image(release.role("postgres"))  # nothing else is of use without it
    if missing := absent_services.refusals(release, _asked_for(wanted)):
        raise pulumi.InputPropertyError("settings", "; ".join(missing))
    running = frozenset(service for service in wanted if release.has(release.role(service)))
    if database_engine.asleep(settings):
        running &= {"postgres"}
    return Context(
        release=release,
        settings=settings,
        running=running,
        secrets=frozenset(args.get("secrets", {})),
        urls=_urls(args, settings),
        project_ref=reference(args),
        s3=_s3(args, settings),
        root=args.get("root", "."),
        synchronised=secrets_change(placement),
    )


def _s3(args: SupabaseStackArgs, settings: Mapping[str, Any]) -> S3 | None:
    """The store for Storage's files; None where they lie on a volume."""
    store = args.get("object_store")
    if store is not None:
        external = store.get("external", False)
        authority = store.get("authority")
        return S3(
            endpoint=store["endpoint"], bucket=store["bucket"], region=store["region"], external=external, authority=authority
        )
    if settings["storage"]["backend"] is StorageBackend.S3 and _wanted(settings, "storage"):
        raise pulumi.InputPropertyError("object_store", "settings.storage.backend is s3: the store must be named")
    return None


def _elsewhere(context: Context) -> Mapping[str, Endpoint]:
    """What another component of the stack provides, or others do, as it is reached from inside."""
    found = {}
    if (database := _external_database(context.settings)) is not None:
        found["postgres"] = database
    store = context.s3
    if store is not None and not store.external:
        at = urlsplit(store.endpoint)
        found["s3"] = Endpoint(at.hostname or "", at.port or {"http": 80, "https": 443}[at.scheme])
    return found


def _external_database(settings: Mapping[str, Any]) -> Endpoint | None:
    """The database that others run; None where the stack has its own."""
    if database_engine.of(settings) is not DatabaseEngine.EXTERNAL:
        return None
    given = settings["database"]["external"]
    if "host" not in given:
        raise pulumi.InputPropertyError("settings.database.external.host", "engine is external: the database must be named")
    return Endpoint(given["host"], given["port"])


def _urls(args: SupabaseStackArgs, settings: Mapping[str, Any]) -> Urls:
    placement, given = args["placement"], settings["gateway"]
    tls = "tlsCertificate" in given

    def at(port: Port, scheme: str = "http") -> str:
        return f"{scheme}://{reached(placement, gateway.NAME, port)}"

    outside = public_url(placement, reference(args), own_tls=tls)
    own = outside or (at(gateway.HTTPS, "https") if tls else at(gateway.HTTP))
    # Behind a name of its own Studio is where the API is: the gateway asks for its login there too.
    studio = outside or at(gateway.STUDIO)
    app = f"http://{Endpoint(published_host(placement), placement['ports']['app'])}"
    return Urls(
        api=given.get("publicUrl") or own,
        studio=studio,
        site=settings["auth"].get("siteUrl") or outside or app,
    )


def site(args: SupabaseStackArgs) -> str:
    """Where auth sends people back to. Pure."""
    return _urls(args, complete("supabase", args.get("settings"))).site


def reference(args: SupabaseStackArgs) -> str:
    """The stack's reference, as a hosted project's. Pure."""
    if (project := _managed(args)) is not None:
        return project.ref
    given, placement = args.get("settings", {}).get("projectRef"), args["placement"]
    return given or project_ref.derived(placement["project"], placement["stack"])


def own_tls(args: SupabaseStackArgs) -> bool:
    """Whether the gateway has a certificate of its own. Pure."""
    return "tlsCertificate" in args.get("settings", {}).get("gateway", {})


def services(args: SupabaseStackArgs) -> Sequence[Service]:
    """The services of a Supabase stack with these args; none where others run the project. Pure.

    Raises:
        pulumi.InputPropertyError: a setting is wrong.
        components.releases.UnknownImage: the release has no image of a service.
    """
    if _managed(args) is not None:
        return ()
    context = _context(args)
    found: list[Service] = []
    for name, build in _BUILD.items():
        if (built := _built(build, context)) is None:
            continue
        made = _given_more(built, context)
        found.append(made if name in context.running else _stopped(made))
    encryption = database_engine.ssl(context)
    jobs = [job for build in _JOBS if context.running and (job := build(context)) is not None]
    found += [replace(job, env={**job.env, **encryption}) for job in jobs]
    found = [_after_preparation(service) for service in found]
    # A stack's settings are checked before (components.supabase_contradictions); this is for the component by itself.
    for needing, capability in unprovided((s for s in found if not s.off), _elsewhere(context)):
        why = f"{needing.name} needs {capability}, which is turned off, or which the release has no image of"
        raise pulumi.InputPropertyError(f"settings.{needing.name}.enabled", why)
    return with_logs_first(found) if context.settings["logsFirst"] else found


def _built(build: Callable[[Context], Service | None], context: Context) -> Service | None:
    try:
        return build(context)
    except database_engine.UserUnknown as error:
        raise pulumi.InputPropertyError("settings.database.cnpg.userId", str(error)) from None


def _stopped(service: Service) -> Service:
    """The service turned off. What an operator runs would go with its data: that is put to sleep."""
    if service.operated is None:
        return off(service)
    return replace(service, operated=replace(service.operated, hibernate=True, pooler=None), ports=(), provides={}, health=None)


_PREPARING: Final = (database_bootstrap.NAME, database_sync.NAME)


def _after_preparation(service: Service) -> Service:
    """The service, started after the jobs that make the database what it needs, if there are any."""
    if service.name in _PREPARING or not any(edge.capability == "postgres" for edge in service.connects):
        return service
    return replace(service, after=(*service.after, *_PREPARING))


def _given_more(service: Service, context: Context) -> Service:
    """The service with the environment that the settings give it beside its own.

    Raises:
        pulumi.InputPropertyError: a secret would stand there in plain text.
    """
    own = context.settings["services"].get(service.name, {}).get("env", {})
    prefix = secret_names.of_service(service.name, "")
    hidden = {name.removeprefix(prefix): text(Secret(name)) for name in sorted(context.secrets) if name.startswith(prefix)}
    # What holds a secret in Supastack's own environment is one in the user's words, too.
    if shown := sorted(name for name, value in own.items() if value and name in service.env and service.env[name].secrets):
        where = f"services.{service.name}.env.{shown[0]}"
        raise pulumi.InputPropertyError(
            f"settings.{where}",
            f"supastack:supabase.{where} is a secret, and there it stands in plain text in the stack file, the state and every preview. "
            f"Give it by `pulumi config set --secret --path supastack:serviceSecrets.{service.name}.{shown[0]}` instead.",
        )
    return replace(service, env={**service.env, **{name: text(value) for name, value in own.items()}, **hidden})


def outputs(args: SupabaseStackArgs, made: Iterable[Service]) -> Mapping[str, Text]:
    """The outputs of a Supabase stack with these args and services, by name; each only for what runs. Pure."""
    if (project := _managed(args)) is not None:
        found = managed.outputs(project, args.get("secrets", {}))
    else:
        found = supabase_outputs.outputs(_context(args), _published(args, made))
    return {**found, **_of_tests(args, found)}


def _of_tests(args: SupabaseStackArgs, found: Mapping[str, Text]) -> Mapping[str, Text]:
    return schema_for_tests.outputs(args.get("settings", {}).get("database", {}).get("testSchema"), found)


def _published(args: SupabaseStackArgs, made: Iterable[Service]) -> dict[str, Endpoint]:
    """Where programs outside reach what is published; beside the port plan's names, the standbys."""
    services = tuple(made)
    found = published(args["placement"], services)
    settings = complete("supabase", args.get("settings"))
    if settings["enabled"] and (database := _external_database(settings)) is not None:
        found["postgres"] = database
    for service in services:
        told = service.operated
        if told is None or service.off or not service.ports:
            continue
        if told.instances > 1:
            found[database_engine.READ] = reached(args["placement"], database_engine.READ_SERVICE, service.port("postgres"))
        if told.pooler is not None and told.pooler.publish is not None:
            found[told.pooler.publish] = reached(args["placement"], told.pooler.name, service.port("postgres"))
    return found


class SupabaseStack(pulumi.ComponentResource):
    """A Supabase stack, or a project that others run: then it makes nothing.

    Its outputs are empty (and secret) where what they tell of does not run; `outputs` says which are there.
    """

    api_url: pulumi.Output[str]
    """The API gateway."""
    rest_url: pulumi.Output[str]
    """REST API."""
    graphql_url: pulumi.Output[str]
    """GraphQL API."""
    functions_url: pulumi.Output[str]
    """Edge functions."""
    storage_s3_url: pulumi.Output[str]
    """Storage's S3 endpoint."""
    mcp_url: pulumi.Output[str]
    """Studio's MCP server."""
    studio_url: pulumi.Output[str]
    """Studio, behind its login."""
    mailpit_url: pulumi.Output[str]
    """The mail catcher's page."""
    db_url: pulumi.Output[str]
    """Direct connection URL of the database from the host (secret)."""
    read_url: pulumi.Output[str]
    """The same of the database's standbys or its first read replica, where it has any; they are read only (secret)."""
    read_urls: pulumi.Output[str]
    """The same of all its read replicas, with commas between (secret)."""
    pooler_url: pulumi.Output[str]
    """The same through the pooler, in transaction mode (secret)."""
    pooler_session_url: pulumi.Output[str]
    """The same through the pooler, in session mode (secret)."""
    test_schema: pulumi.Output[str]
    """The schema that tests keep to."""
    test_database_url: pulumi.Output[str]
    """The database with that schema, through the pooler where there is one (secret)."""
    test_direct_url: pulumi.Output[str]
    """The database itself with that schema (secret)."""
    jwt_secret: pulumi.Output[str]
    """Signs and verifies HS256 tokens (secret)."""
    anon_key: pulumi.Output[str]
    """Token of the role anon."""
    service_role_key: pulumi.Output[str]
    """Token of the role service_role (secret)."""
    publishable_key: pulumi.Output[str]
    """sb_publishable_..."""
    secret_key: pulumi.Output[str]
    """sb_secret_... (secret)."""
    jwks: pulumi.Output[str]
    """What verifies the stack's tokens, JSON (secret: JWT_SECRET is in it)."""
    s3_protocol_access_key_id: pulumi.Output[str]
    """Access key id of Storage's S3 endpoint."""
    s3_protocol_access_key_secret: pulumi.Output[str]
    """Its secret key (secret)."""
    s3_protocol_region: pulumi.Output[str]
    """Its region."""
    dashboard_username: pulumi.Output[str]
    """Login of Studio."""
    dashboard_password: pulumi.Output[str]
    """Its password (secret)."""
    project_ref: pulumi.Output[str]
    """The stack's reference."""
    ready: pulumi.Output[list[str]]
    """Ids of what was placed: known once all of it exists."""

    def __init__(self, name: str, args: SupabaseStackArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("supastack:index:SupabaseStack", name, {}, opts)
        if (project := _managed(args)) is None:
            texts, made = self._place(name, args)
        else:
            # Only the project's owner can make a secret of it: none is generated.
            made = {secret: pulumi.Output.secret(value) for secret, value in args.get("secrets", {}).items()}
            texts = managed.outputs(project, made)
            self.ready = pulumi.Output.from_input([])
        texts = {**texts, **_of_tests(args, texts)}
        told = {
            output.lower(): _resolved(texts[output], made) if output in texts else pulumi.Output.secret("")
            for output in supabase_outputs.NAMES
        }
        for output, value in told.items():
            setattr(self, output, value)
        self.register_outputs({**told, "ready": self.ready})

    def _place(self, name: str, args: SupabaseStackArgs) -> tuple[Mapping[str, Text], Mapping[str, pulumi.Output[str]]]:
        """Places the services. Returns the texts of the outputs, and the secrets in them."""
        context = _context(args)
        given = dict(args.get("secrets", {}))
        if store := args.get("object_store"):
            given[secret_names.S3_ACCESS_KEY] = store["access_key"]
            given[secret_names.S3_SECRET_KEY] = store["secret_key"]
        if (key := context.settings["database"]["cnpg"]["backup"].get("accessKey")) is not None:
            given[secret_names.DATABASE_BACKUP_ACCESS_KEY] = key
        placed = services(args)
        used = {secret for service in placed for secret in service.secrets}
        made = supabase_secrets.make(
            self, name, settings=context.settings, given=given, used=used, synchronised=context.synchronised
        )
        self.ready = placing.place(self, name, args["placement"], placed, made, _elsewhere(context)).ready
        return supabase_outputs.outputs(context, _published(args, placed)), made


def _resolved(text: Text, secrets: Mapping[str, pulumi.Output[str]]) -> pulumi.Output[str]:
    """The text as an output, a secret one where a secret stands in it. No address does."""

    def piece(part: Any) -> pulumi.Input[str]:
        return secrets[part.name].apply(lambda value: encode(value, part.encoding)) if isinstance(part, Secret) else str(part)

    return pulumi.Output.concat(*(piece(part) for part in text.parts))
