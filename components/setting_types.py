"""The settings of a stack, each declared once: name, type, default, unit, limits and description.

The same classes are the components' args, the schema of Pulumi.yaml and the table in the docs. Keys are written as users
write them. The text under a field is its description. `declared` keeps the annotations with their `Setting` for the
validation, and leaves plain types for Pulumi's component analyzer, which knows no `Annotated`. Those of the Supabase stack's
services stand in `components.supabase_settings`, a file each.
"""

from enum import Enum
from typing import Annotated, NotRequired

from typing_extensions import TypedDict

from components import cache_lifetimes
from components import secret_values as secrets
from components import setting_values as values
from components.app_settings import ApplicationSettings, app_service
from components.env_file_settings import EnvFileSettings
from components.external_settings import ExternalCacheSettings
from components.image_settings import ImageSettings
from components.kubernetes_settings import KubernetesSettings
from components.plain_settings import PlainDatabaseSettings
from components.policy_settings import Environment, PoliciesSettings
from components.setting_declared import declared
from components.setting_values import Setting, size
from components.supabase_settings import auth_values
from components.supabase_settings.analytics import AnalyticsSettings, VectorSettings
from components.supabase_settings.auth import AuthSettings
from components.supabase_settings.database_engine import CnpgSettings, DatabaseEngine, ExternalDatabaseSettings, SslMode
from components.supabase_settings.functions import FunctionsSettings
from components.supabase_settings.gateway import GatewaySettings
from components.supabase_settings.keys import KeySettings, project_ref
from components.supabase_settings.mail import MailSettings
from components.supabase_settings.managed import ManagedSettings, host_and_port
from components.supabase_settings.meta import MetaSettings
from components.supabase_settings.override import ServiceOverride, service_name, variable_name
from components.supabase_settings.pooler import PoolerSettings
from components.supabase_settings.realtime import RealtimeSettings
from components.supabase_settings.rest import RestSettings, new_schema_name
from components.supabase_settings.schedule import TaskSettings, task_name
from components.supabase_settings.storage import ImgproxySettings, StorageSettings
from components.supabase_settings.studio import StudioSettings
from components.tenant_settings import TenantEnvFileSettings, TenantSettings, secret_name, tenant_id


class Target(str, Enum):
    """Where a stack runs."""

    DOCKER = "docker"
    KUBERNETES = "kubernetes"
    MANAGED = "managed"


class ImageSource(str, Enum):
    """Where the images come from."""

    REGISTRY = "registry"
    LOCAL = "local"


class Compat(str, Enum):
    """Whose keys a stack has."""

    NONE = "none"
    CLI = "cli"


class LogLevel(str, Enum):
    """Message levels of PostgreSQL, the most talkative first."""

    DEBUG5 = "debug5"
    DEBUG4 = "debug4"
    DEBUG3 = "debug3"
    DEBUG2 = "debug2"
    DEBUG1 = "debug1"
    INFO = "info"
    NOTICE = "notice"
    WARNING = "warning"
    ERROR = "error"
    LOG = "log"
    FATAL = "fatal"
    PANIC = "panic"


class CacheEngine(str, Enum):
    """Servers that can be the cache; `external` is one that others run."""

    VALKEY = "valkey"
    REDIS = "redis"
    EXTERNAL = "external"


class EvictionPolicy(str, Enum):
    """What a full cache does, in the servers' own terms."""

    NOEVICTION = "noeviction"
    ALLKEYS_LRU = "allkeys-lru"
    ALLKEYS_LFU = "allkeys-lfu"
    ALLKEYS_RANDOM = "allkeys-random"
    VOLATILE_LRU = "volatile-lru"
    VOLATILE_LFU = "volatile-lfu"
    VOLATILE_RANDOM = "volatile-random"
    VOLATILE_TTL = "volatile-ttl"


class AppendFsync(str, Enum):
    """When the append-only file is forced to disk."""

    ALWAYS = "always"
    EVERYSEC = "everysec"
    NO = "no"


class ObjectStorageEngine(str, Enum):
    """Servers that can be the object store; `external` is one that others run."""

    SEAWEEDFS = "seaweedfs"
    MINIO = "minio"
    RUSTFS = "rustfs"
    EXTERNAL = "external"


Port = Annotated[int, Setting(minimum=1, maximum=65535)]


@declared
class PortSettings(TypedDict):
    """Host ports that differ from the plan. `ports: auto` is short for `ports: {auto: true}`."""

    auto: NotRequired[Annotated[bool, Setting(default=False)]]
    """Give this stack its own stable ports between 20100 and 29999, by project and stack, in place of the instance's."""
    app: NotRequired[Port]
    """The app; some templates of env files plan another one (docs/env-files.md). Planned: 3025."""
    api: NotRequired[Port]
    """API gateway, HTTP. Planned: 54321."""
    postgres: NotRequired[Port]
    """PostgreSQL of the Supabase stack. Planned: 54322."""
    studio: NotRequired[Port]
    """Supabase Studio. Planned: 54323."""
    mailWeb: NotRequired[Port]
    """Web page of the mail catcher. Planned: 54324."""
    smtp: NotRequired[Port]
    """SMTP of the mail catcher. Planned: 54325."""
    pop3: NotRequired[Port]
    """POP3 of the mail catcher. Planned: 54326."""
    analytics: NotRequired[Port]
    """Analytics (Logflare). Planned: 54327."""
    poolerSession: NotRequired[Port]
    """Connection pooler, session mode. Planned: 54328."""
    poolerTransaction: NotRequired[Port]
    """Connection pooler, transaction mode. Planned: 54329."""
    apiHttps: NotRequired[Port]
    """API gateway, HTTPS. Planned: 54330."""
    cache: NotRequired[Port]
    """Cache. Planned: 6379."""
    objectStore: NotRequired[Port]
    """Object store, S3 API. Planned: 9000."""
    objectStoreConsole: NotRequired[Port]
    """Object store, console. Planned: 9001."""
    plainPostgres: NotRequired[Port]
    """PostgreSQL without Supabase. Planned: 5432."""
    pgbouncer: NotRequired[Port]
    """PgBouncer of that PostgreSQL. Planned: 6543."""
    redisCommander: NotRequired[Port]
    """Redis Commander. Planned: 8081."""
    backend: NotRequired[Port]
    """The app's backend, where that is a server of its own. Planned: 3026."""
    shadow: NotRequired[Port]
    """Shadow database of the Supabase CLI (`db diff`), which starts it itself. Planned: 54320."""


@declared
class DockerSettings(TypedDict):
    """The Docker daemon to deploy to."""

    host: NotRequired[Annotated[str, Setting(check=values.docker_host)]]
    """Address of the daemon, in the form of DOCKER_HOST. Unset: the one that the docker command would use."""
    socket: NotRequired[Annotated[str, Setting(check=values.socket_path)]]
    """Path of the daemon's socket on its machine, for what reads logs. Unset: that of `host` if it is one, else /var/run/docker.sock."""


@declared
class DatabaseSettings(TypedDict):
    """The PostgreSQL server. Sizes but `memory`, and what follows them, are PostgreSQL's own parameters."""

    engine: NotRequired[Annotated[DatabaseEngine, Setting(default="builtin")]]
    """Who runs it: the stack, CloudNativePG (on Kubernetes), or others. A change takes no data along: dump before, restore after."""
    name: NotRequired[Annotated[str, Setting(default="postgres", check=values.database_name)]]
    """Name of the database that everything is in. A change over a kept volume is refused: it is made once."""
    schemas: NotRequired[Annotated[list[str], Setting(minimum=0, maximum=50, check=new_schema_name)]]
    """Further schemas to make. One taken off the list stays, with what is in it. Unset: none."""
    testSchema: NotRequired[Annotated[str, Setting(check=new_schema_name)]]
    """Schema that tests keep to: TEST_SCHEMA, TEST_DATABASE_URL, TEST_DIRECT_URL. The stack's own database gets it. Unset: none."""
    createTestSchema: NotRequired[Annotated[bool, Setting(default=False)]]
    """Make `testSchema`, with its grants, in a managed project and in an external database without `bootstrap` too. It stays."""
    schedule: NotRequired[Annotated[dict[str, TaskSettings], Setting(default={}, key_check=task_name)]]
    """Tasks that run by the clock, by name (docs/tenants.md). One that is turned off or gone is taken out; turn the last one off first."""
    memory: NotRequired[Annotated[str, size("1gb", minimum="128mb")]]
    """Memory limit of the server."""
    sharedBuffers: NotRequired[Annotated[str, size("128mb", minimum="1mb")]]
    """shared_buffers: memory for the shared page cache."""
    effectiveCacheSize: NotRequired[Annotated[str, size(minimum="1mb")]]
    """effective_cache_size: what the planner takes for the size of all caches together. Unset: the image's own."""
    workMem: NotRequired[Annotated[str, size(minimum="64kb")]]
    """work_mem: memory of one sort or hash before it goes to disk. Unset: the image's own."""
    maintenanceWorkMem: NotRequired[Annotated[str, size(minimum="1mb")]]
    """maintenance_work_mem: memory of VACUUM, CREATE INDEX and the like. Unset: the image's own."""
    maxWalSize: NotRequired[Annotated[str, size(minimum="32mb")]]
    """max_wal_size: how much WAL may gather between checkpoints. Unset: the image's own."""
    maxConnections: NotRequired[Annotated[int, Setting(default=100, minimum=20, maximum=10000)]]
    """max_connections: how many connections at once. Supabase's own services need about 20 of them."""
    statementTimeout: NotRequired[Annotated[str, Setting(unit="time", check=values.duration)]]
    """statement_timeout: after what time a statement is cancelled, as in "30s"; "0" is never. Unset: the image's own."""
    logMinMessages: NotRequired[Annotated[LogLevel, Setting(default="fatal")]]
    """log_min_messages: the least level that is logged. The default keeps Realtime's polling out of the log."""
    readReplicas: NotRequired[Annotated[list[str], Setting(default=[], maximum=50, check=host_and_port)]]
    """Read replicas that others run, `host` or `host:port`: the first is READ_URL, all are READ_URLS."""
    readReplicaSslmode: NotRequired[Annotated[SslMode, Setting()]]
    """Whether connections to them are encrypted. Unset: as those to an external database, and `require` at a public host."""
    readReplicaCaCertificate: NotRequired[Annotated[str, Setting(check=values.file_path)]]
    """PEM file of the authority that signed their certificates, for `verify`. Unset: that of an external database, else the machine's."""
    cnpg: NotRequired[CnpgSettings]
    """The database as CloudNativePG runs it."""
    external: NotRequired[ExternalDatabaseSettings]
    """The server that others run."""


@declared
class SupabaseSettings(TypedDict):
    """The Supabase stack."""

    enabled: NotRequired[Annotated[bool, Setting(default=True)]]
    """Whether the stack has it. Turning it off removes its servers; its volumes and passwords stay."""
    managed: NotRequired[ManagedSettings]
    """A Supabase project that others run, in place of the services below."""
    database: NotRequired[DatabaseSettings]
    """The PostgreSQL server."""
    projectRef: NotRequired[Annotated[str, Setting(check=project_ref)]]
    """Reference of the project: the tenant in the pooler (`postgres.<ref>`) and in Storage, whose files hang on it. Unset: 20 letters."""
    keys: NotRequired[KeySettings]
    """The API keys. What they are signed with is `jwtSecret` and `signingKey`."""
    gateway: NotRequired[GatewaySettings]
    """The API gateway."""
    auth: NotRequired[AuthSettings]
    """Auth (GoTrue)."""
    rest: NotRequired[RestSettings]
    """REST API (PostgREST)."""
    realtime: NotRequired[RealtimeSettings]
    """Realtime."""
    storage: NotRequired[StorageSettings]
    """Storage."""
    imgproxy: NotRequired[ImgproxySettings]
    """Image transformation (imgproxy)."""
    meta: NotRequired[MetaSettings]
    """Database management API (postgres-meta)."""
    functions: NotRequired[FunctionsSettings]
    """Edge functions (edge-runtime)."""
    studio: NotRequired[StudioSettings]
    """Studio, the dashboard."""
    pooler: NotRequired[PoolerSettings]
    """Connection pooler (Supavisor)."""
    analytics: NotRequired[AnalyticsSettings]
    """Logs (Logflare)."""
    vector: NotRequired[VectorSettings]
    """Log shipping (Vector)."""
    mail: NotRequired[MailSettings]
    """Mail catcher (Mailpit)."""
    dataOwner: NotRequired[Annotated[int, Setting(minimum=1, maximum=65535)]]
    """User id that you gave the database's files by hand for an image that runs as another one. Unset: the one that wrote them."""
    logsFirst: NotRequired[Annotated[bool, Setting(default=False)]]
    """Start Vector before the database and Studio after Logflare, as upstream did in 2024. Nothing starts then while the logs are ill."""
    services: NotRequired[Annotated[dict[str, ServiceOverride], Setting(default={}, key_check=service_name)]]
    """What one service is given beside its settings, by the service's name: environment, memory."""


@declared
class CacheSettings(TypedDict):
    """The cache."""

    enabled: NotRequired[Annotated[bool, Setting(default=True)]]
    """Whether the stack has a cache. Turning it off removes the server; its volume and password stay."""
    engine: NotRequired[Annotated[CacheEngine, Setting(default="valkey")]]
    """Which server; `external` for one that others run. A change over a kept volume is refused."""
    memory: NotRequired[Annotated[str, size("256mb", minimum="16mb")]]
    """Memory limit of the server. Leave room above `maxMemory`: saving needs some."""
    maxMemory: NotRequired[Annotated[str, size("128mb", minimum="1mb")]]
    """maxmemory: how much data it may hold."""
    evictionPolicy: NotRequired[Annotated[EvictionPolicy, Setting(default="noeviction")]]
    """maxmemory-policy: what it drops when full. The default drops nothing and refuses writes, which queues need."""
    appendOnly: NotRequired[Annotated[bool, Setting(default=True)]]
    """appendonly: keep each write over a restart. A change over a kept volume is refused: the server would start without the data."""
    appendFsync: NotRequired[Annotated[AppendFsync, Setting(default="everysec")]]
    """appendfsync: when the append-only file is forced to disk; `everysec` can lose a second, `always` is slow."""
    lifetimes: NotRequired[
        Annotated[dict[str, str], Setting(default={}, key_check=cache_lifetimes.kind, check=cache_lifetimes.lifetime)]
    ]
    """How long apps keep each kind of data, as "5m": `productCatalog` is CACHE_TTL_PRODUCT_CATALOG in env files, in seconds."""
    commander: NotRequired[Annotated[bool, Setting(default=False)]]
    """Whether there is a web page on it, Redis Commander. Its login is `admin` with the cache's password."""
    external: NotRequired[ExternalCacheSettings]
    """The cache that others run."""


@declared
class ObjectStorageSettings(TypedDict):
    """The S3 object store."""

    enabled: NotRequired[Annotated[bool, Setting(default=True)]]
    """Whether the stack has one. Turning it off removes the server; its volume and keys stay."""
    engine: NotRequired[Annotated[ObjectStorageEngine, Setting(default="seaweedfs")]]
    """Which server; `external` for one that others run. A change over a kept volume is refused."""
    fallback: NotRequired[Annotated[ObjectStorageEngine, Setting()]]
    """Server that stands in where no image of `engine` can be had. Unset: none, and the deployment says what is missing."""
    buckets: NotRequired[Annotated[list[str], Setting(default=["app"], minimum=1, maximum=100, check=values.bucket_name)]]
    """Buckets to make. The first is S3_BUCKET of the env files. A bucket taken off the list is kept, with its objects."""
    memory: NotRequired[Annotated[str, size("1gb", minimum="64mb")]]
    """Memory limit of the server."""
    endpoint: NotRequired[Annotated[str, Setting(check=values.http_url)]]
    """Address of the external store, as in "https://s3.example.com". Only with engine `external`."""
    region: NotRequired[Annotated[str, Setting(default="us-east-1", check=values.region)]]
    """S3 region; Cloudflare R2 calls its own `auto`."""
    caCertificate: NotRequired[Annotated[str, Setting(check=values.file_path)]]
    """PEM file of the authority that signed an external store's certificate. Unset: the authorities that the machine trusts."""
    accessKey: NotRequired[Annotated[str, Setting(check=values.access_key)]]
    """Access key id; not a secret. Unset: generated; an external store needs it, with `objectStorageSecretKey`."""


@declared
class AppSettings(TypedDict):
    """The app that is developed against the stack."""

    port: NotRequired[Port]
    """Port the app listens on: the same as `ports.app`. Unset: as planned."""
    poolSize: NotRequired[Annotated[int, Setting(minimum=1, maximum=10000)]]
    """Connections to the database that one process of it opens at most: DB_POOL_SIZE in env files. Unset: there is no such value."""


@declared
class AdminSettings(TypedDict):
    """The first administrator of the app, made by its set-up page. The password is `adminPassword`."""

    email: NotRequired[Annotated[str, Setting(default="admin@example.com", check=values.email)]]
    """Email address to sign in with."""
    name: NotRequired[Annotated[str, Setting(default="Administrator", check=values.line_of_text)]]
    """Name to show."""


@declared
class StackSettings(TypedDict):
    """All settings of a stack, as they stand in Pulumi.<stack>.yaml under the project's name."""

    environment: NotRequired[Annotated[Environment, Setting(default="dev")]]
    """What the stack is for. In `prod` a violated policy ends `make preview` and `make up`; elsewhere policies are advice."""
    policies: NotRequired[PoliciesSettings]
    """The policies, and which of them do not count here."""
    target: NotRequired[Annotated[Target, Setting(default="docker")]]
    """Where the stack runs."""
    instance: NotRequired[Annotated[int, Setting(default=1, minimum=1, maximum=9999)]]
    """Number of this copy on the machine: each adds 1000 to all ports. 1 to 12, or any with `ports: auto`."""
    release: NotRequired[Annotated[str, Setting(default="2026-09", check=values.release_name)]]
    """Set of images, by year and month."""
    imageSource: NotRequired[Annotated[ImageSource, Setting()]]
    """Images from their registries, or built on this machine. Unset: `make up` finds out once; else `registry`."""
    images: NotRequired[ImageSettings]
    """The images: a mirror, references and digests."""
    compat: NotRequired[Annotated[Compat, Setting(default="none")]]
    """`cli`: the keys and the password that the Supabase CLI gives every local stack. They are published; only on this machine."""
    bindAddress: NotRequired[Annotated[str, Setting(default="127.0.0.1", check=values.ip_address)]]
    """Address of this machine that ports are published on. Any but 127.0.0.1 lets others in."""
    ports: NotRequired[PortSettings]
    """Host ports that differ from the plan; `auto` for stable ports of the stack's own."""
    docker: NotRequired[DockerSettings]
    """The Docker daemon."""
    kubernetes: NotRequired[KubernetesSettings]
    """The Kubernetes cluster, for target `kubernetes`."""
    healthTimeout: NotRequired[Annotated[int, Setting(default=180, unit="seconds", minimum=1, maximum=3600)]]
    """How long a deployment waits for everything to be healthy; a server that a job waits for has as long before that."""
    stackId: NotRequired[Annotated[str, Setting(check=values.stack_id)]]
    """Id of an earlier stack whose volumes or namespace this one takes over: 16 hex digits, as the refusal has it. Unset: generated."""
    verify: NotRequired[Annotated[bool, Setting(default=False)]]
    """Ask all that others run at each deployment, before anything is made: database, API, cache, store. Certificates are verified."""
    supabase: NotRequired[SupabaseSettings]
    """The Supabase stack."""
    cache: NotRequired[CacheSettings]
    """The cache."""
    objectStorage: NotRequired[ObjectStorageSettings]
    """The S3 object store."""
    plainDatabase: NotRequired[PlainDatabaseSettings]
    """A PostgreSQL without Supabase, beside it or in its place."""
    app: NotRequired[AppSettings]
    """The app."""
    apps: NotRequired[Annotated[dict[str, ApplicationSettings], Setting(default={}, key_check=app_service)]]
    """Services of your own that run in the stack, by name, on Docker or Kubernetes."""
    admin: NotRequired[AdminSettings]
    """The app's first administrator."""
    envFiles: NotRequired[Annotated[dict[str, EnvFileSettings], Setting(default={"nextjs": {}}, key_check=values.app_name)]]
    """Env files to write, by app. `{}` for none."""
    tenants: NotRequired[Annotated[list[TenantSettings], Setting(default=[], minimum=0, maximum=10000)]]
    """The app's tenants, in any order."""
    tenantEnvFile: NotRequired[TenantEnvFileSettings]
    """The env files of the tenants, one each."""
    databasePassword: NotRequired[Annotated[str, Setting(secret=True, check=values.server_password)]]
    """Password of the database's administrator. Unset: generated."""
    externalDatabasePassword: NotRequired[Annotated[str, Setting(secret=True, check=values.server_password)]]
    """Password of `supabase.database.external.user`. Unset: none; for postgres and supabase_admin it is `databasePassword`."""
    databaseBackupSecretKey: NotRequired[Annotated[str, Setting(secret=True, check=values.server_password)]]
    """Secret key of the external store that CloudNativePG's backups go to."""
    cachePassword: NotRequired[Annotated[str, Setting(secret=True, check=values.server_password)]]
    """Password of the cache. Unset: generated; an external cache needs it."""
    plainDatabasePassword: NotRequired[Annotated[str, Setting(secret=True, check=values.server_password)]]
    """Password of the plain database's owner. Unset: generated."""
    objectStorageSecretKey: NotRequired[Annotated[str, Setting(secret=True, check=values.server_password)]]
    """Secret key of the object store. Unset: generated; an external store needs it."""
    setupPassword: NotRequired[Annotated[str, Setting(secret=True, check=values.person_password)]]
    """Password of the app's set-up page. Unset: generated."""
    adminPassword: NotRequired[Annotated[str, Setting(secret=True, check=values.person_password)]]
    """Password of the app's first administrator. Unset: generated."""
    jwtSecret: NotRequired[Annotated[str, Setting(secret=True, check=secrets.jwt_secret)]]
    """Secret that HS256 tokens are signed with: 32 to 256 characters. Unset: generated."""
    anonKey: NotRequired[Annotated[str, Setting(secret=True, check=secrets.anon_key)]]
    """ANON_KEY: an HS256 token of the role anon, signed with `jwtSecret`. Unset: made."""
    serviceRoleKey: NotRequired[Annotated[str, Setting(secret=True, check=secrets.service_role_key)]]
    """SERVICE_ROLE_KEY: an HS256 token of the role service_role, signed with `jwtSecret`. Unset: made."""
    publishableKey: NotRequired[Annotated[str, Setting(secret=True, check=secrets.publishable_key)]]
    """Publishable key, sb_publishable_... with its checksum. Unset: made."""
    secretKey: NotRequired[Annotated[str, Setting(secret=True, check=secrets.secret_key)]]
    """Secret key, sb_secret_... with its checksum. Unset: made."""
    signingKey: NotRequired[Annotated[str, Setting(secret=True, check=secrets.signing_key)]]
    """Private EC P-256 key as JWK (JSON), that ES256 tokens are signed with. Unset: made."""
    dashboardPassword: NotRequired[Annotated[str, Setting(secret=True, check=values.server_password)]]
    """Password of Studio's login. Unset: generated."""
    secretKeyBase: NotRequired[Annotated[str, Setting(secret=True, check=secrets.secret_key_base)]]
    """SECRET_KEY_BASE of Realtime and the pooler: 64 to 256 characters. Unset: generated."""
    realtimeDbEncKey: NotRequired[Annotated[str, Setting(secret=True, check=secrets.aes128_key)]]
    """DB_ENC_KEY of Realtime: 16 characters. Unset: generated."""
    vaultEncKey: NotRequired[Annotated[str, Setting(secret=True, check=secrets.aes256_key)]]
    """VAULT_ENC_KEY of the pooler: 32 characters. Unset: generated."""
    vaultRootKey: NotRequired[Annotated[str, Setting(secret=True, check=secrets.vault_root_key)]]
    """Key that Vault seals with in a CloudNativePG database (others keep it beside their data): 64 hex digits. Unset: generated."""
    pgMetaCryptoKey: NotRequired[Annotated[str, Setting(secret=True, check=secrets.crypto_key)]]
    """Key that Studio and postgres-meta hide connection strings with: 32 characters. Unset: generated."""
    s3ProtocolAccessKeyId: NotRequired[Annotated[str, Setting(secret=True, check=values.access_key)]]
    """Access key id of Storage's S3 endpoint. Unset: generated."""
    s3ProtocolAccessKeySecret: NotRequired[Annotated[str, Setting(secret=True, check=secrets.access_key_secret)]]
    """Secret key of Storage's S3 endpoint: 16 to 128 characters. Unset: generated."""
    logflarePublicAccessToken: NotRequired[Annotated[str, Setting(secret=True, check=secrets.token)]]
    """Token that logs are sent to Logflare with. Unset: generated."""
    logflarePrivateAccessToken: NotRequired[Annotated[str, Setting(secret=True, check=secrets.token)]]
    """Token that Logflare is asked and managed with; another one than the public. Unset: generated."""
    smtpPassword: NotRequired[Annotated[str, Setting(secret=True, check=secrets.outside_secret)]]
    """Password of the SMTP server that auth sends mail with."""
    openaiApiKey: NotRequired[Annotated[str, Setting(secret=True, check=secrets.outside_secret)]]
    """Key of OpenAI's API, for Studio's assistant. Unset: it has none."""
    tlsKey: NotRequired[Annotated[str, Setting(secret=True, check=secrets.private_key)]]
    """Private key of the gateway's certificate, PEM."""
    authProviderSecrets: NotRequired[
        Annotated[dict[str, str], Setting(secret=True, key_check=auth_values.provider_name, check=secrets.outside_secret)]
    ]
    """Secret of an external auth provider, by its name (`github`)."""
    authHookSecrets: NotRequired[
        Annotated[dict[str, str], Setting(secret=True, key_check=auth_values.hook_name, check=auth_values.hook_secret)]
    ]
    """Secret of an auth hook, by its name (`send_sms`): v1,whsec_ and the secret in base64."""
    authSmsSecrets: NotRequired[
        Annotated[dict[str, str], Setting(secret=True, key_check=variable_name, check=secrets.outside_secret)]
    ]
    """Secret of an SMS provider, by the end of its variable (`TWILIO_AUTH_TOKEN`)."""
    functionSecrets: NotRequired[
        Annotated[dict[str, str], Setting(secret=True, key_check=secrets.function_secret_name, check=secrets.secret_variable)]
    ]
    """Secret environment variable of the edge functions, by its name."""
    serviceSecrets: NotRequired[
        Annotated[
            dict[str, Annotated[dict[str, str], Setting(key_check=variable_name, check=secrets.secret_variable)]],
            Setting(secret=True, key_check=service_name),
        ]
    ]
    """Secret environment variable of one service, by the service's name and the variable's; it wins over Supastack's own."""
    appSecrets: NotRequired[
        Annotated[
            dict[str, Annotated[dict[str, str], Setting(key_check=variable_name, check=secrets.secret_variable)]],
            Setting(secret=True, key_check=values.app_name),
        ]
    ]
    """Secret variable of an app, by the app's name and its own; wins over a template's, but for what a tenant's own project fills."""
    tenantSecrets: NotRequired[
        Annotated[
            dict[str, Annotated[dict[str, str], Setting(key_check=secret_name, check=secrets.outside_secret)]],
            Setting(secret=True, key_check=tenant_id),
        ]
    ]
    """Secret of an enterprise tenant's project, by the tenant's id and its name (`databasePassword`); `redisUrl`: a cache of its own."""
