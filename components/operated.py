"""What an operator of the target is told of a database server that it runs: plain data, with no word of its own API."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from components.service import Image


@dataclass(frozen=True, kw_only=True, slots=True)
class Backup:
    """Base backups and write-ahead log, kept in an S3 store.

    Attributes:
        schedule: When a base backup is made: six fields, seconds first.
        destination: `s3://bucket/path`.
        retention: How long it is possible to go back, as `30d`.
        endpoint: Address of the store as pods reach it; None: the one that the region has (AWS).
        region: Its region.
        access_key: Name of the secret.
        secret_key: Name of the secret.
    """

    schedule: str
    destination: str
    retention: str
    endpoint: str | None
    region: str
    access_key: str
    secret_key: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Pooling:
    """A connection pooler of the operator's own, in pods of its own. One logs in to it as to the server, at the same port.

    Attributes:
        name: Its name, and its host name inside the stack.
        instances: How many.
        mode: `session` or `transaction`.
        capability: What it provides to others of the stack; None: another pooler does.
        publish: The name in the port plan under which programs outside the stack reach it; None: another pooler is there.
        image: Its image, built on this machine where the operator's own can't be had; None: the operator's.
    """

    name: str
    instances: int
    mode: str
    capability: str | None = None
    publish: str | None = None
    image: "Image | None" = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Operated:
    """A PostgreSQL server that an operator runs.

    Attributes:
        instances: How many; all but one are standbys.
        storage: Bytes of each instance's volume.
        wal_storage: Bytes of a volume of its own for the write-ahead log; None: it is on the same one.
        user: User id of `postgres` in the image.
        group: Its group's.
        database: Name of the database.
        admin: Role that owns it, a superuser beside `postgres`.
        password: Name of the secret that both of them log in with.
        parameters: PostgreSQL's parameters.
        preload: Libraries that the server loads at its start.
        schemas: Further databases of `admin`, with the schemas in each.
        hibernate: Whether it is put to sleep: no pods, its data stay.
        vault_key: Name of the secret that the vault extension seals with, 64 hex digits; None: it has none.
        backup: None: there is none.
        pooler: None: there is none, as while it sleeps.
    """

    instances: int
    storage: int
    wal_storage: int | None
    user: int
    group: int
    database: str
    admin: str
    password: str
    parameters: Mapping[str, str]
    preload: tuple[str, ...]
    schemas: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    hibernate: bool = False
    vault_key: str | None = None
    backup: Backup | None = None
    pooler: Pooling | None = None

    @property
    def secrets(self) -> frozenset[str]:
        """Names of the secrets that it is told."""
        found = {self.password}
        if self.vault_key is not None:
            found.add(self.vault_key)
        if self.backup is not None:
            found |= {self.backup.access_key, self.backup.secret_key}
        return frozenset(found)
