"""The REST API (PostgREST).

Environment, command, port and health check are those of upstream's compose files; PGRST_DB_POOL, PGRST_DB_POOL_ACQUISITION_TIMEOUT
and PGRST_DB_TX_END stand in PostgREST's list of parameters (docs/references/configuration.rst). The image has no shell, so the
check is the program's own; version 12.0 of the releases of 2024 has none.
"""

from typing import Final

from components.service import Address, Edge, Encoding, Gate, Health, Port, Secret, Service, text
from components.services import database_engine, postgres, secret_names
from components.services.context import Context

PORT: Final = 3000
_MAX_ROWS = 1000
_EXTRA_SEARCH_PATH = ("public",)


def schemas(c: Context) -> str:
    """PGRST_DB_SCHEMAS: the schemas that clients reach."""
    return ",".join(c.settings["rest"]["schemas"])


def max_rows(c: Context) -> str:
    """PGRST_DB_MAX_ROWS: most rows that one request gets."""
    return str(c.settings["rest"].get("maxRows", _MAX_ROWS))


def extra_search_path(c: Context) -> str:
    """PGRST_DB_EXTRA_SEARCH_PATH: further schemas in the search path."""
    return ",".join(c.settings["rest"].get("extraSearchPath", _EXTRA_SEARCH_PATH))


def rest(c: Context) -> Service:
    """The REST API (PostgREST)."""
    settings = c.settings["rest"]
    legacy = c.release.features.legacy_names
    env = {
        "PGRST_APP_SETTINGS_JWT_EXP": text(str(c.settings["auth"]["jwtExpiry"])),
        "PGRST_DB_ANON_ROLE": text("anon"),
        "PGRST_DB_SCHEMAS": text(schemas(c)),
        "PGRST_DB_URI": text(
            "postgres://authenticator:",
            Secret(secret_names.DATABASE_PASSWORD, Encoding.URL),
            "@",
            Address("postgres"),
            f"/{postgres.database(c)}{database_engine.query(c)}",
        ),
        "PGRST_DB_USE_LEGACY_GUCS": text("false"),
        # A set of keys, or the one secret: it takes either.
        "PGRST_JWT_SECRET": text(Secret(secret_names.JWT_JWKS if c.asymmetric else secret_names.JWT_SECRET)),
    }
    if legacy:
        env["PGRST_APP_SETTINGS_JWT_SECRET"] = text(Secret(secret_names.JWT_SECRET))
    else:
        env |= {"PGRST_ADMIN_SERVER_HOST": text("localhost"), "PGRST_ADMIN_SERVER_PORT": text("3001")}
    if not legacy or "maxRows" in settings:
        env["PGRST_DB_MAX_ROWS"] = text(max_rows(c))
    if not legacy or "extraSearchPath" in settings:
        env["PGRST_DB_EXTRA_SEARCH_PATH"] = text(extra_search_path(c))
    if "dbPool" in settings:
        env["PGRST_DB_POOL"] = text(str(settings["dbPool"]))
    if "dbPoolAcquisitionTimeout" in settings:
        env["PGRST_DB_POOL_ACQUISITION_TIMEOUT"] = text(str(settings["dbPoolAcquisitionTimeout"]))
    if "dbTxEnd" in settings:
        env["PGRST_DB_TX_END"] = text(settings["dbTxEnd"].value)
    return Service(
        name="rest",
        image=c.release.image_if_any("rest"),
        # At rest it has 7 MB (KahitSan/supabase-air, DIGITALOCEAN-BENCHMARKS.md); its cache grows with the schemas.
        resources=c.memory("rest", 64),
        command=("postgrest",),
        env=env,
        ports=(Port("http", PORT),),
        health=None if legacy else Health(("postgrest", "--ready"), interval=2, retries=15, start_period=5),
        # It waits twice as long before each new try, up to half a minute: started early it would be ready late.
        connects=(Edge("postgres", Gate.HEALTHY),),
        provides={"rest": "http"},
        replicable=True,
    )
