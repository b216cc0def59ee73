"""Settings of who runs the Supabase stack's database, and how."""

import ipaddress
import re
from enum import Enum
from typing import Annotated, Final, NotRequired

from typing_extensions import TypedDict

from components import cron_values
from components import setting_values as values
from components.setting_declared import declared
from components.setting_values import Refused, Setting, size
from components.supabase_settings.pooler import PoolMode


class DatabaseEngine(str, Enum):
    """Who runs the database."""

    BUILTIN = "builtin"
    """The stack: one server."""
    CLOUDNATIVEPG = "cloudnativepg"
    """The CloudNativePG operator of the cluster: standbys, failover, backups."""
    EXTERNAL = "external"
    """Others."""


class BackupStore(str, Enum):
    """Where backups are kept."""

    STACK = "stack"
    """The object store in which Storage keeps its files."""
    EXTERNAL = "external"


class SslMode(str, Enum):
    """Whether connections to an external database are encrypted, in libpq's words."""

    DISABLE = "disable"
    PREFER = "prefer"
    REQUIRE = "require"


OWN_ROLES: Final = ("postgres", "supabase_admin")
"""Superusers that the stack's services log in as, with `databasePassword`."""


def schedule(text: str) -> str:
    """Check a schedule of six fields, the first of them seconds: CloudNativePG's (robfig/cron: seconds minutes hours day month weekday)."""
    fix = 'write six fields, seconds first, as in "0 0 3 * * *" for each night at 3'
    reason = "a schedule has six fields: second, minute, hour, day, month, weekday"
    return cron_values.checked(text, seconds=True, reason=reason, fix=fix)


def retention(text: str) -> str:
    """Check how long backups are kept: a number of days, weeks or months (barman: `[1-9][0-9]*[dwm]`)."""
    if not re.fullmatch(r"[1-9][0-9]{0,3}[dwm]", text, re.ASCII):
        raise Refused("it is not a time to keep backups for", 'write days, weeks or months, as in "30d", "8w" or "12m"')
    return text


def destination(text: str) -> str:
    """Check a folder in an S3 bucket."""
    fix = 'write it as in "s3://backups/shop"'
    found = re.fullmatch(r"s3://([^/]+)((/[A-Za-z0-9._-]+)*)/?", text, re.ASCII)
    if not found or len(text) > 1000:
        raise Refused("it is not a folder of an S3 bucket", fix)
    values.bucket_name(found[1])
    return text.rstrip("/")


def database_host(text: str) -> str:
    """Check the host of a database: a DNS name or an address that containers and pods reach, so no loopback one."""
    fix = 'give its name or address in the network, as in "db.example.com"; no port, no scheme'
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        address = None
    if text == "localhost" or (address is not None and (address.is_loopback or address.is_unspecified)):
        raise Refused("inside a container or a pod that is the container itself", fix)
    names = text.split(".")
    named = all(re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?", name, re.ASCII) for name in names)
    if address is None and (not named or len(text) > 253 or names[-1].isdigit()):
        raise Refused("it is not the name or the address of a host", fix)
    return text


def login(text: str) -> str:
    """Check the name of a role to log in as: such that it needs quoting nowhere."""
    if not re.fullmatch(r"[a-z_][a-z0-9_]{0,62}", text, re.ASCII):
        raise Refused(
            "it is not the name of a role", 'use up to 63 of a-z, 0-9 and "_", beginning with a letter, as in "postgres"'
        )
    return text


@declared
class CnpgBackupSettings(TypedDict):
    """Backups by the Barman Cloud plugin of CloudNativePG, which the cluster must have: base backups and the write-ahead log."""

    schedule: NotRequired[Annotated[str, Setting(check=schedule)]]
    """When a base backup is made: six fields, seconds first, as in "0 0 3 * * *". Unset: there are no backups."""
    destination: NotRequired[Annotated[str, Setting(check=destination)]]
    """Folder in a bucket that is there, as in "s3://backups/shop". Unset: `postgres-backup` in the bucket of Storage's files."""
    retention: NotRequired[Annotated[str, Setting(default="30d", check=retention)]]
    """How far it is possible to go back; older backups go."""
    store: NotRequired[Annotated[BackupStore, Setting(default="stack")]]
    """`stack`: the store of Storage's files (`supabase.storage.backend: s3`); a copy elsewhere is worth more: `external`."""
    endpoint: NotRequired[Annotated[str, Setting(check=values.http_url)]]
    """Address of an external store. Unset: that of AWS in `region`."""
    region: NotRequired[Annotated[str, Setting(default="us-east-1", check=values.region)]]
    """Region of an external store."""
    accessKey: NotRequired[Annotated[str, Setting(check=values.access_key)]]
    """Access key id of an external store, which needs it, with `databaseBackupSecretKey`."""


@declared
class CnpgPoolerSettings(TypedDict):
    """CloudNativePG's own pooler (PgBouncer), as `postgres-pooler`: beside Supavisor, or in its place where that is off.

    Then POOLER_URL leads to it, or POOLER_SESSION_URL where it keeps connections for sessions.
    """

    enabled: NotRequired[Annotated[bool, Setting(default=False)]]
    """Whether there is one."""
    instances: NotRequired[Annotated[int, Setting(default=1, minimum=1, maximum=9)]]
    """How many pods."""
    mode: NotRequired[Annotated[PoolMode, Setting(default="transaction")]]
    """How long a client keeps a connection: for a transaction, or for its session."""


@declared
class CnpgSettings(TypedDict):
    """The database as CloudNativePG runs it, for `engine: cloudnativepg`."""

    instances: NotRequired[Annotated[int, Setting(default=1, minimum=1, maximum=9)]]
    """Servers: one that writes, and standbys that take over. Two survive the loss of one."""
    storage: NotRequired[Annotated[str, size("8gb", minimum="1gb", maximum="64tb")]]
    """Size of each server's volume. It can grow where the StorageClass allows it, never shrink."""
    walStorage: NotRequired[Annotated[str, size(minimum="512mb", maximum="64tb")]]
    """Size of a volume of its own for the write-ahead log; once there, it stays. Unset: it is on the same one."""
    userId: NotRequired[Annotated[int, Setting(minimum=1, maximum=65535)]]
    """User id of `postgres` in the image, where the release does not know it. Unset: the release's."""
    groupId: NotRequired[Annotated[int, Setting(minimum=1, maximum=65535)]]
    """Group id of `postgres` in the image. Unset: the same number as its user id."""
    backup: NotRequired[CnpgBackupSettings]
    """Backups."""
    pooler: NotRequired[CnpgPoolerSettings]
    """The operator's pooler."""
    hibernate: NotRequired[Annotated[bool, Setting(default=False)]]
    """Put the database to sleep: its pods go, its data stay, and the services that need it are off until it is false again."""


@declared
class ExternalDatabaseSettings(TypedDict):
    """A PostgreSQL server that others run, for `engine: external`. The database in it is `supabase.database.name`."""

    host: NotRequired[Annotated[str, Setting(check=database_host)]]
    """Its name or address, as containers and pods reach it."""
    port: NotRequired[Annotated[int, Setting(default=5432, minimum=1, maximum=65535)]]
    """Its port."""
    user: NotRequired[Annotated[str, Setting(default="postgres", check=login)]]
    """Role that prepares or checks it; a superuser where it is prepared. Its password: `externalDatabasePassword`."""
    sslmode: NotRequired[Annotated[SslMode, Setting(default="prefer")]]
    """Whether connections are encrypted: those of the jobs, Auth and REST. The certificate is verified by `verify` alone."""
    caCertificate: NotRequired[Annotated[str, Setting(check=values.file_path)]]
    """PEM file of the authority that signed its certificate, for `verify`. Unset: the authorities that the machine trusts."""
    bootstrap: NotRequired[Annotated[bool, Setting(default=False)]]
    """Prepare it, which must be empty, for Supabase: roles, schemas, passwords. False: it is only checked, and what is missing is named."""
