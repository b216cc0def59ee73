"""Settings of a Supabase project that others run: Supabase's own platform, or whoever offers the same endpoints."""

import ipaddress
import re
from enum import Enum
from typing import Annotated, Final, NotRequired
from urllib.parse import urlsplit

from typing_extensions import TypedDict

from components import setting_values as values
from components.setting_declared import declared
from components.setting_values import Refused, Setting

POSTGRES_PORT: Final = 5432


class ManagedSslMode(str, Enum):
    """How connections to the project's database are encrypted, in libpq's words; none of them is in the clear."""

    REQUIRE = "require"
    """Encrypted; whose certificate it is nobody checks."""
    VERIFY_CA = "verify-ca"
    """The certificate is signed by the given authority."""
    VERIFY_FULL = "verify-full"
    """It names the host, too."""


def project_reference(text: str) -> str:
    """Check the reference of a hosted project: 20 small letters (Supabase CLI, utils.ProjectRefPattern)."""
    if not re.fullmatch(r"[a-z]{20}", text, re.ASCII):
        raise Refused(
            "it is not the reference of a hosted project, which is 20 small letters",
            "take it from the project's address, https://supabase.com/dashboard/project/<ref>",
        )
    return text


def platform_region(text: str) -> str:
    """Check the name of a region as AWS writes it, which Supabase's platform runs on."""
    if not re.fullmatch(r"[a-z]{2}(-[a-z]+){1,3}-[0-9]{1,2}", text, re.ASCII):
        raise Refused(
            "it is not the name of a region",
            'write it as the project\'s settings show it, as in "eu-central-2", without "aws-1-"',
        )
    return text


def host(text: str) -> str:
    """Check the name or the address of a host. Loopback ones are taken: a tunnel may end there."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        pass
    else:
        return text
    labels = text.split(".")
    named = all(re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?", label, re.ASCII) for label in labels)
    if not named or len(text) > 253 or labels[-1].isdigit():
        # A whole connection string may have been pasted.
        raise Refused(
            "it is not the name or the address of a host",
            'give that alone, as in "aws-1-eu-central-2.pooler.supabase.com": no scheme, no user, no port',
            hidden="@" in text,
        )
    return text


def host_and_port(text: str) -> str:
    """Check a host with its port, or without: 5432 then. An IPv6 address stands in brackets."""
    try:
        found = urlsplit(f"//{text}")
        port, name = found.port, found.hostname
    except ValueError:
        port, name = 0, None
    # A line break is dropped by urlsplit.
    if not name or port == 0 or "@" in text or not text.isprintable() or found.path or found.query or found.fragment:
        raise Refused(
            "it is not a host with its port",
            'write it as in "db-read.example.com:5432"; the user and the password are the database\'s own',
            hidden="@" in text,
        )
    host(name)
    return text


def role(text: str) -> str:
    """Check the name of a role as a pooler takes it: with the project behind a dot, or without."""
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]{0,62}(\.[a-z0-9-]{1,40})?", text, re.ASCII):
        raise Refused("it is not a name to log in with", 'write it as in "postgres", or "postgres.<ref>" for the pooler')
    return text


@declared
class ManagedSettings(TypedDict):
    """A Supabase project that others run, in place of the stack's own services. Its secrets are the stack's secret settings."""

    ref: NotRequired[Annotated[str, Setting(check=project_reference)]]
    """Reference of the project, 20 letters. With it no Supabase service runs here. Unset: the stack runs its own."""
    region: NotRequired[Annotated[str, Setting(check=platform_region)]]
    """Its region, as in "eu-central-2". Unset: as `poolerHost` says."""
    poolerHost: NotRequired[Annotated[str, Setting(check=host)]]
    """Host of its pooler, as "Connect" in its dashboard shows it: `aws-<n>-<region>.pooler.supabase.com`. Unset: no pooler URLs."""
    poolerPort: NotRequired[Annotated[int, Setting(default=6543, minimum=1, maximum=65535)]]
    """Port of the pooler, transaction mode."""
    poolerSessionPort: NotRequired[Annotated[int, Setting(default=5432, minimum=1, maximum=65535)]]
    """Port of the pooler, session mode."""
    poolerUser: NotRequired[Annotated[str, Setting(check=role)]]
    """Role at the pooler. Unset: `postgres.<ref>`, by which a shared pooler tells projects apart."""
    databaseHost: NotRequired[Annotated[str, Setting(check=host)]]
    """Host of the database itself. Unset: `db.<ref>.supabase.co`, which has no IPv4 address unless the project bought one."""
    databasePort: NotRequired[Annotated[int, Setting(default=POSTGRES_PORT, minimum=1, maximum=65535)]]
    """Its port."""
    databaseUser: NotRequired[Annotated[str, Setting(default="postgres", check=role)]]
    """Role at the database and its replicas. Its password: `databasePassword`."""
    database: NotRequired[Annotated[str, Setting(default="postgres", check=values.database_name)]]
    """Name of the database."""
    sslmode: NotRequired[Annotated[ManagedSslMode, Setting()]]
    """How connections to it are encrypted. Unset: `require`, with `caCertificate` `verify-full`."""
    caCertificate: NotRequired[Annotated[str, Setting(check=values.file_path)]]
    """PEM file of the authority that signed its certificates: download it in the dashboard's database settings. Unset: not verified."""
    sslRootCert: NotRequired[Annotated[str, Setting(check=values.file_path)]]
    """Path of that file where the apps run, for the URLs (`sslrootcert`). Unset: that of `caCertificate` on this machine."""
    readReplicas: NotRequired[Annotated[list[str], Setting(default=[], maximum=50, check=host_and_port)]]
    """Its read replicas, `host` or `host:port`: the first is READ_URL, all are READ_URLS."""
    apiUrl: NotRequired[Annotated[str, Setting(check=values.http_url)]]
    """Address of its API, where it has a domain of its own. Unset: `https://<ref>.supabase.co`."""
    storageS3Url: NotRequired[Annotated[str, Setting(check=values.http_url)]]
    """Storage's S3 endpoint. Unset: `https://<ref>.storage.supabase.co/storage/v1/s3`."""
