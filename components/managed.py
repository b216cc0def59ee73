"""Endpoints of a Supabase project that others run, and the outputs that tell of them: pure texts, nothing is asked or made.

Forms of hosts, ports and logins: Supabase's guide "Connect to your database". A shared pooler tells projects apart by the login,
`postgres.<ref>`.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlsplit

from components.endpoints import Endpoint
from components.service import Encoding, Secret, Text, text
from components.services import secret_names as names
from components.supabase_settings.managed import POSTGRES_PORT, ManagedSslMode

DASHBOARD: Final = "https://supabase.com/dashboard/project/"
POOLED: Final = "pgbouncer=true"
"""Tells Prisma that a pooler in transaction mode stands in between, so that it uses no prepared statements that are kept."""

KEYS: Final[Mapping[str, str]] = {
    "JWT_SECRET": names.JWT_SECRET,
    "ANON_KEY": names.ANON_KEY,
    "SERVICE_ROLE_KEY": names.SERVICE_ROLE_KEY,
    "PUBLISHABLE_KEY": names.PUBLISHABLE_KEY,
    "SECRET_KEY": names.SECRET_KEY,
    "S3_PROTOCOL_ACCESS_KEY_ID": names.S3_PROTOCOL_ACCESS_KEY_ID,
    "S3_PROTOCOL_ACCESS_KEY_SECRET": names.S3_PROTOCOL_ACCESS_KEY_SECRET,
}
"""Outputs that are there only where the user gave the secret: only the project's owner can make one that the project takes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Project:
    """A Supabase project that others run.

    Attributes:
        ref: Its reference.
        region: Of the platform; None where nothing says which.
        pooler_host: None where it is not given: there are no pooler URLs then.
        replicas: Its read replicas, with their ports.
        sslmode: How its database is connected to, in libpq's words.
        ca_certificate: PEM file of the authority that signed its certificates, on this machine; absolute.
        sslrootcert: The same where the apps run.
    """

    ref: str
    region: str | None = None
    pooler_host: str | None = None
    pooler_port: int = 6543
    pooler_session_port: int = POSTGRES_PORT
    pooler_user: str
    database_host: str
    database_port: int = POSTGRES_PORT
    database_user: str = "postgres"
    database: str = "postgres"
    sslmode: ManagedSslMode = ManagedSslMode.REQUIRE
    ca_certificate: str | None = None
    sslrootcert: str | None = None
    replicas: tuple[Endpoint, ...] = ()
    api_url: str
    storage_s3_url: str

    @staticmethod
    def of(settings: Mapping[str, Any], root: Path | str = ".") -> "Project":
        """The project that checked settings (`ManagedSettings`, with its `ref`) name; what they leave out is as the platform has it.

        `root`: folder that relative paths start from.
        """
        ref: str = settings["ref"]
        own = settings.get("caCertificate")
        authority = None if own is None else str((Path(root) / own).resolve())
        pooler, user = settings.get("poolerHost"), settings.get("databaseUser", "postgres")
        return Project(
            ref=ref,
            region=settings.get("region") or region_of(pooler),
            pooler_host=pooler,
            pooler_port=settings.get("poolerPort", 6543),
            pooler_session_port=settings.get("poolerSessionPort", POSTGRES_PORT),
            pooler_user=settings.get("poolerUser") or f"{user.partition('.')[0]}.{ref}",
            database_host=settings.get("databaseHost") or f"db.{ref}.supabase.co",
            database_port=settings.get("databasePort", POSTGRES_PORT),
            database_user=user,
            database=settings.get("database", "postgres"),
            sslmode=ManagedSslMode(settings.get("sslmode") or (ManagedSslMode.VERIFY_FULL if own else ManagedSslMode.REQUIRE)),
            ca_certificate=authority,
            sslrootcert=settings.get("sslRootCert") or authority,
            replicas=tuple(map(endpoint, settings.get("readReplicas", ()))),
            api_url=settings.get("apiUrl") or f"https://{ref}.supabase.co",
            storage_s3_url=settings.get("storageS3Url") or f"https://{ref}.storage.supabase.co/storage/v1/s3",
        )


def region_of(pooler_host: str | None) -> str | None:
    """The region that the name of a shared pooler says; None where it says none."""
    found = re.fullmatch(r"aws-\d+-([a-z0-9-]+)\.pooler\.supabase\.com", pooler_host or "")
    return found[1] if found else None


def endpoint(replica: str) -> Endpoint:
    """Where a replica is reached: `host` or `host:port`."""
    at = urlsplit(f"//{replica}")
    return Endpoint(at.hostname or "", at.port or POSTGRES_PORT)


def outputs(project: Project, has: Collection[str]) -> dict[str, Text]:
    """The outputs of a project, by name, as on every other target.

    Args:
        project: What is told of.
        has: Names of the secrets that are given (`components.services.secret_names`); what needs another one is left out.
    """
    api = project.api_url
    found = {
        "PROJECT_REF": text(project.ref),
        "API_URL": text(api),
        "REST_URL": text(f"{api}/rest/v1"),
        "GRAPHQL_URL": text(f"{api}/graphql/v1"),
        "FUNCTIONS_URL": text(f"{api}/functions/v1"),
        "STORAGE_S3_URL": text(project.storage_s3_url),
        "STUDIO_URL": text(f"{DASHBOARD}{project.ref}"),
        **{output: text(Secret(secret)) for output, secret in KEYS.items() if secret in has},
    }
    if project.region is not None:
        found["S3_PROTOCOL_REGION"] = text(project.region)
    return found | (_databases(project) if names.DATABASE_PASSWORD in has else {})


def _databases(project: Project) -> dict[str, Text]:
    def at(user: str, where: Endpoint, *more: str) -> Text:
        return url(user, where, project.database, query(project, *more))

    found = {"DB_URL": at(project.database_user, Endpoint(project.database_host, project.database_port))}
    if project.pooler_host is not None:
        host, user = project.pooler_host, project.pooler_user
        found["POOLER_URL"] = at(user, Endpoint(host, project.pooler_port), POOLED)
        found["POOLER_SESSION_URL"] = at(user, Endpoint(host, project.pooler_session_port))
    return found | read_urls([at(project.database_user, replica) for replica in project.replicas])


def url(user: str, where: Endpoint, database: str, query: str = "") -> Text:
    """A connection URL with the database's password, percent-encoded. `query` with its `?`."""
    password = Secret(names.DATABASE_PASSWORD, Encoding.URL)
    return text(f"postgresql://{quote(user, safe='')}:", password, f"@{where}/{database}{query}")


def read_urls(replicas: list[Text]) -> dict[str, Text]:
    """READ_URL, the first of the replicas, and READ_URLS, all of them with commas between: no URL here has one in it."""
    if not replicas:
        return {}
    parts = [part for replica in replicas for part in (",", *replica.parts)][1:]
    return {"READ_URL": replicas[0], "READ_URLS": text(*parts)}


def query(project: Project, *first: str) -> str:
    """What the URLs of the project's database end with, with its `?`. `first`: what stands before the encryption."""
    said = [*first, f"sslmode={project.sslmode.value}"]
    if project.sslrootcert is not None:
        # A comma is encoded too: READ_URLS has them between its URLs.
        said.append(f"sslrootcert={quote(project.sslrootcert, safe='/')}")
    return "?" + "&".join(said)
