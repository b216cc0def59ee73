"""Settings of the REST API (PostgREST)."""

import re
from enum import Enum
from typing import Annotated, NotRequired

from typing_extensions import TypedDict

from components.setting_declared import declared
from components.setting_values import Refused, Setting


class TransactionEnd(str, Enum):
    """How a request's transaction ends, in PostgREST's own terms (`db-tx-end`)."""

    COMMIT = "commit"
    COMMIT_ALLOW_OVERRIDE = "commit-allow-override"
    ROLLBACK = "rollback"
    ROLLBACK_ALLOW_OVERRIDE = "rollback-allow-override"


def schema_name(text: str) -> str:
    """Check the name of a schema, such that a list of them needs no quotes."""
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_$]{0,62}", text):
        raise Refused("it is not the name of a schema", 'use letters, digits and "_", not beginning with a digit, as in "public"')
    return text


def new_schema_name(text: str) -> str:
    """Check the name of a schema to make: PostgreSQL keeps those that begin with pg_ for itself (its manual, CREATE SCHEMA)."""
    schema_name(text)
    if text.startswith("pg_"):
        raise Refused('PostgreSQL keeps names of schemas that begin with "pg_" for itself', "choose another name")
    return text


@declared
class RestSettings(TypedDict):
    """REST API (PostgREST)."""

    enabled: NotRequired[Annotated[bool, Setting(default=True)]]
    """Whether the stack has it. Storage needs it."""
    schemas: NotRequired[
        Annotated[list[str], Setting(default=["public", "storage", "graphql_public"], minimum=1, maximum=50, check=schema_name)]
    ]
    """Schemas whose tables, views and functions clients reach."""
    extraSearchPath: NotRequired[Annotated[list[str], Setting(minimum=0, maximum=50, check=schema_name)]]
    """Further schemas in the search path of every request, as that of extensions. Unset: `public`."""
    maxRows: NotRequired[Annotated[int, Setting(unit="rows", minimum=1, maximum=1_000_000_000)]]
    """Most rows that one request gets. Unset: 1000; with the releases of 2024 no limit."""
    dbPool: NotRequired[Annotated[int, Setting(minimum=1, maximum=1000)]]
    """Most connections to the database. Unset: PostgREST's own (10)."""
    dbPoolAcquisitionTimeout: NotRequired[Annotated[int, Setting(unit="seconds", minimum=1, maximum=3600)]]
    """How long a request waits for one of them. Unset: PostgREST's own (10)."""
    dbTxEnd: NotRequired[Annotated[TransactionEnd, Setting()]]
    """How a request's transaction ends; the `allow-override` kinds let clients choose by `Prefer: tx=rollback`. Unset: `commit`."""
