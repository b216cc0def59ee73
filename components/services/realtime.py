"""Realtime: broadcast, presence and changes of the database over websockets.

Realtime takes its tenant from the first label of the Host header, so the gateway sends it `TENANT` there and the service may be called
anything. It makes that tenant anew at every start: another JWT secret or password takes effect with a restart.
"""

from typing import Final

from components.service import Address, AddressPart, Edge, Gate, Health, Port, Secret, Service, Text, text
from components.services import postgres
from components.services.context import Context
from components.services.secret_names import DATABASE_PASSWORD, JWT_JWKS, JWT_SECRET, REALTIME_DB_ENC_KEY, SECRET_KEY_BASE

PORT: Final = 4000
TENANT: Final = "realtime-dev"
"""The tenant: what must stand before the first dot of the Host header. Releases before SELF_HOST_TENANT_NAME know no other."""

_LIMITS: Final = {
    "maxBytesPerSecond": "TENANT_MAX_BYTES_PER_SECOND",
    "maxChannelsPerClient": "TENANT_MAX_CHANNELS_PER_CLIENT",
    "maxConcurrentUsers": "TENANT_MAX_CONCURRENT_USERS",
    "maxEventsPerSecond": "TENANT_MAX_EVENTS_PER_SECOND",
    "maxJoinsPerSecond": "TENANT_MAX_JOINS_PER_SECOND",
    "maxHeaderLength": "MAX_HEADER_LENGTH",
}
"""Variable by setting (supabase/realtime, ENVS.md)."""


def realtime(c: Context) -> Service:
    """Realtime. It migrates and seeds at its start, so it waits for the database."""
    legacy = c.release.features.legacy_names
    return Service(
        name="realtime",
        image=c.release.image_if_any("realtime"),
        # 243 MiB at rest, by `docker stats` in TrailBase's benchmark of a Supabase of June 2024, on a large machine.
        resources=c.memory("realtime", 288),
        # What the newer image's own start does.
        command=("sh", "-c", _MIGRATE_SEED_SERVE) if legacy else (),
        env={**_shared(c), **(_of_2024() if legacy else _of_now(c)), **_chosen(c)},
        ports=(Port("http", PORT),),
        health=Health(_open_port() if legacy else _answer(), retries=5, start_period=10),
        connects=(Edge("postgres", Gate.HEALTHY),),
        provides={"realtime": "http"},
        gains_privileges=True,
        # A release of Elixir may write beside its program.
        writable=None,
    )


_MIGRATE_SEED_SERVE: Final = (
    "/app/bin/migrate && /app/bin/realtime eval 'Realtime.Release.seeds(Realtime.Repo)' && /app/bin/server"
)


def _answer() -> tuple[str, ...]:
    # It listens only after it has migrated and seeded. Upstream asks for the tenant's health instead, with a key: then a key that
    # does not arrive, or does not fit the secret, makes a sound server ill (supabase/supabase#40326, #33993).
    return ("curl", "-sSf", "-o", "/dev/null", f"http://localhost:{PORT}/healthcheck")


def _open_port() -> tuple[str, ...]:
    # No source says since when it knows /healthcheck.
    return ("timeout", "1", "bash", "-c", f"</dev/tcp/127.0.0.1/{PORT}")


def _shared(c: Context) -> dict[str, Text]:
    return {
        "API_JWT_SECRET": text(Secret(JWT_SECRET)),
        "DB_AFTER_CONNECT_QUERY": text("SET search_path TO _realtime"),
        "DB_ENC_KEY": text(Secret(REALTIME_DB_ENC_KEY)),
        "DB_HOST": text(Address("postgres", AddressPart.HOST)),
        "DB_NAME": text(postgres.database(c)),
        "DB_PASSWORD": text(Secret(DATABASE_PASSWORD)),
        "DB_PORT": text(Address("postgres", AddressPart.PORT)),
        # It makes schemas, publications and replication slots.
        "DB_USER": text("supabase_admin"),
        "DNS_NODES": text("''"),
        "ERL_AFLAGS": text("-proto_dist inet_tcp"),
        "PORT": text(str(PORT)),
        "SECRET_KEY_BASE": text(Secret(SECRET_KEY_BASE)),
    }


def _of_now(c: Context) -> dict[str, Text]:
    return {
        "APP_NAME": text("realtime"),
        "DISABLE_HEALTHCHECK_LOGGING": text("true"),
        "METRICS_JWT_SECRET": text(Secret(JWT_SECRET)),
        "RLIMIT_NOFILE": text("10000"),
        "RUN_JANITOR": text("true"),
        "SEED_SELF_HOST": text("true"),
        "SELF_HOST_TENANT_NAME": text(TENANT),
        **({"API_JWT_JWKS": text(Secret(JWT_JWKS))} if c.asymmetric else {}),
    }


def _of_2024() -> dict[str, Text]:
    return {
        "ENABLE_TAILSCALE": text("false"),
        "FLY_ALLOC_ID": text("supastack"),
        "FLY_APP_NAME": text("realtime"),
    }


def _chosen(c: Context) -> dict[str, Text]:
    """What the settings say; what they leave open is Realtime's own."""
    settings = c.settings["realtime"]
    found = {variable: text(str(settings[name])) for name, variable in _LIMITS.items() if name in settings}
    if "ipVersion" in settings:
        found["REALTIME_IP_VERSION"] = text(settings["ipVersion"].value)
    return found
