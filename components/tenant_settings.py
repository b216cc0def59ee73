"""Settings of the tenants of an app: who they are, and which of them have a Supabase project of their own."""

import re
from enum import Enum
from typing import Annotated, Final, NotRequired

from typing_extensions import TypedDict

from components import setting_values as values
from components.env_file_settings import EnvFileFormat, EnvFileGroup, template_text, variable_key
from components.setting_declared import declared
from components.setting_values import Refused, Setting
from components.supabase_settings.managed import ManagedSettings, platform_region

DEFAULT_PATH: Final = ".env.${STACK}.${TENANT}"


class Tier(str, Enum):
    """Whether a tenant has a project of its own."""

    STANDARD = "standard"
    """It shares the stack's database with the others; row level security keeps their rows apart."""
    ENTERPRISE = "enterprise"
    """It has a Supabase project of its own."""


class BackupSchedule(str, Enum):
    """How often a backup is agreed to be made."""

    HOURLY = "hourly"
    DAILY = "daily"
    WEEKLY = "weekly"


def tenant_id(text: str) -> str:
    """Check the id of a tenant: it stands in the names of files and resources, which not every place tells apart by case."""
    if not re.fullmatch(r"[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?", text, re.ASCII):
        raise Refused("it is not the id of a tenant", 'use up to 63 of a-z, 0-9, "_" and "-", as in "acme" or "org_1"')
    return text


def org_id(text: str) -> str:
    """Check the id by which an app's tables know a tenant: one word, as a number, a UUID or a name."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}", text, re.ASCII):
        raise Refused("it is not an id", 'use up to 128 letters, digits, "_", ".", ":" and "-", and put a number in quotes')
    return text


def compliance_label(text: str) -> str:
    """Check a label of a rule set that a tenant is held to."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,31}", text, re.ASCII):
        raise Refused("it is not a label", 'use up to 32 of a-z, 0-9 and "-", as in "soc2" or "hipaa"')
    return text


def secret_name(text: str) -> str:
    """Check the name of a secret of a tenant."""
    if text not in SECRET_NAMES:
        raise Refused("a tenant has no such secret", f"use one of: {', '.join(SECRET_NAMES)}")
    return text


SECRET_NAMES: Final = (
    "databasePassword",
    "anonKey",
    "serviceRoleKey",
    "publishableKey",
    "secretKey",
    "jwtSecret",
    "s3ProtocolAccessKeyId",
    "s3ProtocolAccessKeySecret",
    "redisUrl",
)
"""The secrets that a tenant can have: those of its project, as the stack's are called, and its own cache's address."""


@declared
class BackupPolicySettings(TypedDict):
    """How a tenant's project is agreed to be backed up. It is set at Supabase; here it is written down, and told (docs/tenants.md)."""

    schedule: NotRequired[Annotated[BackupSchedule, Setting()]]
    """How often. Unset: nothing is agreed."""
    retentionDays: NotRequired[Annotated[int, Setting(unit="days", minimum=1, maximum=3650)]]
    """How long a backup is kept."""
    pointInTimeDays: NotRequired[Annotated[int, Setting(unit="days", minimum=1, maximum=365)]]
    """How far back any moment can be had again (point-in-time recovery). Unset: not at all."""
    crossRegion: NotRequired[Annotated[str, Setting(check=platform_region)]]
    """Region that copies are kept in beside the project's own. Unset: none."""


@declared
class TenantSettings(TypedDict):
    """One tenant. Its place in the list means nothing."""

    id: NotRequired[Annotated[str, Setting(check=tenant_id)]]
    """Its id, which never changes: TENANT_ID, and in the names of its file and of its secrets."""
    name: NotRequired[Annotated[str, Setting(check=values.line_of_text)]]
    """Its name for people: TENANT_NAME. Unset: the id."""
    orgId: NotRequired[Annotated[str, Setting(check=org_id)]]
    """Id that its rows have in the app's tables: ORG_ID. Unset: the id."""
    tier: NotRequired[Annotated[Tier, Setting(default="standard")]]
    """`standard` shares the stack's project, `enterprise` has one of its own (`project`)."""
    region: NotRequired[Annotated[str, Setting(check=platform_region)]]
    """Where its data is: TENANT_REGION. Unset: its project's region, of a standard tenant the shared project's."""
    compliance: NotRequired[Annotated[list[str], Setting(default=[], minimum=0, maximum=20, check=compliance_label)]]
    """Rule sets that it is held to, as "soc2": TENANT_COMPLIANCE, with commas between."""
    poolSize: NotRequired[Annotated[int, Setting(minimum=1, maximum=10000)]]
    """DB_POOL_SIZE in its env file. Unset: `app.poolSize`."""
    project: NotRequired[ManagedSettings]
    """The Supabase project of an enterprise tenant. Its secrets: `tenantSecrets`."""
    backup: NotRequired[BackupPolicySettings]
    """How that project is agreed to be backed up."""
    variables: NotRequired[Annotated[dict[str, str], values.variables(key_check=variable_key, check=template_text)]]
    """Variables of its env file alone, more or others than all have: texts with `${NAME}` for the stack's values."""


@declared
class TenantEnvFileSettings(TypedDict):
    """The env files of the tenants, one each."""

    app: NotRequired[Annotated[str, Setting(check=values.app_name)]]
    """Built-in template that they follow, as for `envFiles`. Unset: the variables below alone; with none of both there are no files."""
    path: NotRequired[Annotated[str, Setting(default=DEFAULT_PATH, check=values.file_path)]]
    """Where, absolute or from the project's folder; `${STACK}` is the stack's name, `${TENANT}` the tenant's id."""
    format: NotRequired[Annotated[EnvFileFormat, Setting(default="dotenv")]]
    """`dotenv` for apps, shells and Next.js; `docker` for `docker --env-file`, which takes no quotes."""
    overwrite: NotRequired[Annotated[bool, Setting(default=False)]]
    """Replace files that are there and were not written by this stack."""
    variables: NotRequired[Annotated[dict[str, str], values.variables(key_check=variable_key, check=template_text)]]
    """Variables of all of them: texts with `${NAME}` for the stack's values and the tenant's (docs/tenants.md)."""
    groups: NotRequired[Annotated[dict[str, EnvFileGroup], Setting(default={}, key_check=values.line_of_text)]]
    """More variables, each group under its name as a comment, sorted by it."""
