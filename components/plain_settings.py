"""Settings of a PostgreSQL without Supabase, and of the PgBouncer before it."""

import re
from enum import Enum
from typing import Annotated, NotRequired

from typing_extensions import TypedDict

from components import setting_values as values
from components.setting_declared import declared
from components.setting_values import Refused, Setting, size

_OURS = frozenset(
    {
        "config_file",
        "data_directory",
        "hba_file",
        "ident_file",
        "external_pid_file",
        "port",
        "listen_addresses",
        "unix_socket_directories",
    }
)
"""Parameters that say where the server is and what it serves."""


class PgbouncerMode(str, Enum):
    """For how long a client has a connection of the server, in PgBouncer's words."""

    SESSION = "session"
    TRANSACTION = "transaction"
    STATEMENT = "statement"


def role_name(text: str) -> str:
    """Check the name of a role to be made: such that it needs quoting nowhere."""
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", text, re.ASCII):
        raise Refused("it is not the name of a role", 'use up to 63 of a-z, 0-9 and "_", beginning with a letter, as in "app"')
    if text.startswith("pg_") or text in ("public", "none", "pgbouncer"):
        raise Refused("the servers keep that name for themselves", 'choose another, as "app"')
    return text


def extension_name(text: str) -> str:
    """Check the name of an extension. Which there are, the image says."""
    if not re.fullmatch(r"[a-z][a-z0-9_-]{0,62}", text, re.ASCII):
        raise Refused("it is not the name of an extension", 'write it as `create extension` takes it, as in "uuid-ossp"')
    return text


def parameter_name(text: str) -> str:
    """Check the name of a PostgreSQL parameter. Which there are, the server says."""
    if not re.fullmatch(r"[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)?", text, re.ASCII) or len(text) > 63:
        raise Refused("it is not the name of a parameter", 'write it as postgresql.conf does, as in "shared_buffers"')
    if text in _OURS:
        raise Refused("Supastack sets it itself", "take it off the list")
    return text


def parameter_value(text: str) -> str:
    """Check the value of a PostgreSQL parameter: any text on one line."""
    if not text.isprintable() or len(text) > 1000:
        raise Refused(
            "it has characters that can't stand in a parameter, or over 1000 of them",
            "write it as postgresql.conf does, without quotes",
        )
    return text


@declared
class PgbouncerSettings(TypedDict):
    """PgBouncer before the plain PostgreSQL."""

    enabled: NotRequired[Annotated[bool, Setting(default=False)]]
    """Whether there is one."""
    poolMode: NotRequired[Annotated[PgbouncerMode, Setting(default="transaction")]]
    """pool_mode: for how long a client has a connection of the server."""
    maxClientConnections: NotRequired[Annotated[int, Setting(default=100, minimum=1, maximum=100000)]]
    """max_client_conn: how many clients at once."""
    defaultPoolSize: NotRequired[Annotated[int, Setting(default=20, minimum=1, maximum=10000)]]
    """default_pool_size: how many connections to the server, by user."""
    memory: NotRequired[Annotated[str, size("64mb", minimum="16mb")]]
    """Memory limit."""


@declared
class PlainDatabaseSettings(TypedDict):
    """A PostgreSQL without Supabase."""

    enabled: NotRequired[Annotated[bool, Setting()]]
    """Whether the stack has one. `false` keeps the data and the password of one that there was. Unset: there is none."""
    name: NotRequired[Annotated[str, Setting(default="app", check=values.database_name)]]
    """Name of the database. A change over a kept volume is refused: it is made once."""
    user: NotRequired[Annotated[str, Setting(default="app", check=role_name)]]
    """Its owner, the server's superuser; the password is `plainDatabasePassword`. A change over a kept volume is refused."""
    readOnlyRole: NotRequired[Annotated[str, Setting(check=role_name)]]
    """Role that may read what the owner makes in schema public, for logins to be made members of. Unset: none."""
    extensions: NotRequired[Annotated[list[str], Setting(default=[], minimum=0, maximum=50, check=extension_name)]]
    """Extensions to create. One taken off the list stays."""
    memory: NotRequired[Annotated[str, size("512mb", minimum="64mb")]]
    """Memory limit of the server."""
    parameters: NotRequired[Annotated[dict[str, str], Setting(default={}, key_check=parameter_name, check=parameter_value)]]
    """PostgreSQL's own parameters, by name, as in `shared_buffers: 256MB`. Others are the image's own."""
    pgbouncer: NotRequired[PgbouncerSettings]
    """PgBouncer before it."""
