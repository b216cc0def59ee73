"""The SupabaseStack component: for now the database of a Supabase stack."""

from collections.abc import Sequence
from typing import NotRequired, TypedDict

import pulumi

from components import placing, releases, secrets
from components.encode import encode
from components.service import Encoding, Service
from components.services import postgres
from components.setting_groups import complete, mib, off, parameters
from components.setting_types import SupabaseSettings
from components.targets.placement import Placement


class SupabaseStackArgs(TypedDict):
    """What a Supabase stack can be told."""

    placement: Placement
    """Where it runs."""
    settings: NotRequired[SupabaseSettings]
    """The stack's settings; defaults for what is left out."""
    database_password: NotRequired[pulumi.Input[str]]
    """Password of the `postgres` user; generated where none is given. Always handled as a secret."""


def services(args: SupabaseStackArgs) -> Sequence[Service]:
    """The services of a Supabase stack with these args. Pure.

    Raises:
        pulumi.InputPropertyError: a setting is wrong.
        components.releases.UnknownImage: the release has no image of a service.
    """
    settings = complete("supabase", args.get("settings"))
    database, enabled = settings["database"], settings["enabled"]
    release = releases.load(args["placement"]["release"], local=args["placement"]["local_images"])
    made = postgres.postgres(
        release.image("postgres") if enabled else release.image_if_any("postgres"),
        major=release.postgres_major,
        memory_mib=mib(database["memory"]),
        parameters=parameters(database),
    )
    return (made if enabled else off(made),)


class SupabaseStack(pulumi.ComponentResource):
    """A Supabase stack: for now its database."""

    db_url: pulumi.Output[str]
    """Direct connection URL of the database from the host (secret); empty where the stack is turned off."""
    ready: pulumi.Output[list[str]]
    """Ids of what was placed: known once all of it exists."""

    def __init__(self, name: str, args: SupabaseStackArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("supastack:index:SupabaseStack", name, {}, opts)
        made = secrets.make(
            self,
            name,
            [secrets.SecretSpec(postgres.PASSWORD)],
            {postgres.PASSWORD: args["database_password"]} if "database_password" in args else {},
        )
        placed = placing.place(self, name, args["placement"], services(args), made)
        password = made[postgres.PASSWORD].apply(lambda value: encode(value, Encoding.URL))
        at = placed.endpoint("postgres")
        url = pulumi.Output.concat(f"postgresql://{postgres.USER}:", password, f"@{at}/{postgres.DATABASE}")
        self.db_url = url if at else pulumi.Output.secret("")
        self.ready = placed.ready
        self.register_outputs({"db_url": self.db_url, "ready": self.ready})
