"""The PlainDatabase component: a PostgreSQL without Supabase, and PgBouncer before it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NotRequired, TypedDict

import pulumi

from components import placing, secrets
from components.encode import encode
from components.plain_settings import PlainDatabaseSettings
from components.service import Encoding, Service
from components.services import pgbouncer as pooler
from components.services import plain_postgres as service
from components.setting_groups import complete, mib, off
from components.targets.placement import Placement, release_of

URLS: Final[Mapping[str, str]] = {"plainPostgres": "PLAIN_DB_URL", "pgbouncer": "PGBOUNCER_URL"}
"""Names of the stack's outputs, by the port that each is reached at."""


class PlainDatabaseArgs(TypedDict):
    """What a plain database can be told."""

    placement: Placement
    """Where it runs."""
    settings: NotRequired[PlainDatabaseSettings]
    """The database's settings; defaults for what is left out."""
    password: NotRequired[pulumi.Input[str]]
    """Password of its owner; generated where none is given. Always handled as a secret."""


def services(args: PlainDatabaseArgs) -> Sequence[Service]:
    """The services of a plain database with these args; none where the settings never ask for one. Pure.

    Most stacks have none, and are to be left without an empty volume that is protected: so unset is not the same as turned off.

    Raises:
        pulumi.InputPropertyError: a setting is wrong.
        components.releases.UnknownImage: the release has no image of it.
    """
    settings = complete("plainDatabase", args.get("settings"))
    enabled = settings.get("enabled")
    if enabled is None:
        return ()
    release, name, user = release_of(args["placement"]), settings["name"], settings["user"]
    image = release.image("plain-postgres") if enabled else release.image_if_any("plain-postgres")
    server = service.plain_postgres(
        image,
        name=name,
        user=user,
        memory_mib=mib(settings["memory"]),
        parameters=settings["parameters"],
        runs_as=release.users.get("plain-postgres"),
    )
    if not enabled:
        return (off(server),)
    made = [server]
    reader = settings.get("readOnlyRole")
    if settings["extensions"] or reader is not None:
        made.append(service.plain_setup(image, name=name, user=user, extensions=settings["extensions"], read_only_role=reader))
    pool = settings["pgbouncer"]
    if pool["enabled"]:
        made.append(
            pooler.pgbouncer(
                release.image("pgbouncer"),
                name=name,
                user=user,
                mode=pool["poolMode"],
                max_clients=pool["maxClientConnections"],
                pool_size=pool["defaultPoolSize"],
                memory_mib=mib(pool["memory"]),
            )
        )
    return made


class PlainDatabase(pulumi.ComponentResource):
    """A PostgreSQL without Supabase, whose data outlives it."""

    url: pulumi.Output[str]
    """Direct connection URL from the host (secret); empty where there is none."""
    pooled_url: pulumi.Output[str]
    """The same through PgBouncer (secret); empty where there is none."""
    ready: pulumi.Output[list[str]]
    """Ids of what was placed: known once all of it exists."""

    def __init__(self, name: str, args: PlainDatabaseArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("supastack:index:PlainDatabase", name, {}, opts)
        settings: Any = complete("plainDatabase", args.get("settings"))
        placed = services(args)
        if not placed:
            self.url = self.pooled_url = pulumi.Output.secret("")
            self.ready = pulumi.Output.from_input([])
        else:
            given = {service.PASSWORD: args["password"]} if "password" in args else {}
            made = secrets.make(self, name, [secrets.SecretSpec(service.PASSWORD)], given)
            where = placing.place(self, name, args["placement"], placed, made)
            password = made[service.PASSWORD].apply(lambda value: encode(value, Encoding.URL))

            def url(capability: str) -> pulumi.Output[str]:
                at = where.endpoint(capability)
                if at is None:
                    return pulumi.Output.secret("")
                return pulumi.Output.concat(f"postgresql://{settings['user']}:", password, f"@{at}/{settings['name']}")

            self.url, self.pooled_url, self.ready = url("plain-postgres"), url("pgbouncer"), where.ready
        self.register_outputs({"url": self.url, "pooled_url": self.pooled_url, "ready": self.ready})
