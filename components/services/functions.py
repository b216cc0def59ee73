"""The edge functions (edge-runtime) and the router in front of them.

The router (files/functions) is ours: it needs no library and no network at its start, and lies beside the users' folder, so that a
folder mounted there hides nothing. It gives functions only what is meant for them. Written by reading the runtime's documentation and
examples; run with Deno and a stand-in for the runtime's workers, since no image of the runtime could be had.
"""

import json
import os
from pathlib import Path
from typing import Any, Final

from components.service import (
    Address,
    Edge,
    Encoding,
    File,
    Health,
    HostFolder,
    Mount,
    Port,
    Secret,
    Service,
    Text,
    Volume,
    text,
)
from components.services import postgres, secret_names
from components.services.context import Context
from components.services.secret_names import (
    ANON_KEY,
    DATABASE_PASSWORD,
    JWT_JWKS,
    JWT_SECRET,
    PUBLISHABLE_KEY,
    SECRET_KEY,
    SERVICE_ROLE_KEY,
)

PORT: Final = 9000
FOLDER: Final = "/home/deno/functions"
"""Where the functions' own folders are."""
ROUTER: Final = "/home/deno/supastack/main"
VOLUME: Final = "functions-code"
_ASIDE: Final = "/home/deno/functions-aside"

_FILES: Final = Path(__file__).with_name("files") / "functions"
_MIB: Final = 2**20


def source(c: Context, path: str) -> tuple[tuple[Mount, ...], tuple[HostFolder, ...]]:
    """The functions' sources for another service to read, at `path`: a mount and no folder, or no mount and a folder."""
    chosen = c.settings["functions"].get("folder")
    if chosen is None:
        return (Mount(VOLUME, path),), ()
    return (), (_folder(chosen, path, c),)


def functions(c: Context) -> Service:
    """The edge functions."""
    chosen = c.settings["functions"].get("folder")
    return Service(
        name="functions",
        image=c.release.image_if_any("functions"),
        # 22 MiB at rest, by `docker stats` in TrailBase's benchmark of a Supabase of June 2024; and one function at its limit.
        resources=c.memory("functions", 24 + -(-c.settings["functions"]["memoryLimit"] // _MIB)),
        command=_command(c),
        # What the settings give functions never takes the place of what the router itself needs.
        env={**_for_functions(c), **_own(c)},
        files=(
            *(File(f"{ROUTER}/{name}", text((_FILES / name).read_text())) for name in ("index.ts", "router.js", "verify.js")),
            File(f"{ROUTER}/config.js", text(f"export default {json.dumps(_config(c), indent=2, sort_keys=True)};\n")),
        ),
        ports=(Port("http", PORT),),
        volumes=(
            # With a folder of the settings it stays, set aside: what is protected can't leave the program.
            Volume(VOLUME, _ASIDE if chosen else FOLDER, precious=True, idle=chosen is not None),
            # What functions import from the network: fetched again where it is lost.
            Volume("deno-cache", "/root/.cache/deno", precious=False, size_mib=1024),
        ),
        folders=(_folder(chosen, FOLDER, c),) if chosen else (),
        # The image has no HTTP client.
        health=Health(("timeout", "1", "bash", "-c", f"</dev/tcp/127.0.0.1/{PORT}"), retries=3),
        # Functions call the gateway and the gateway calls them, so neither waits for the other.
        connects=(*((Edge("gateway"),) if "gateway" in c.running else ()), Edge("postgres")),
        outside=("modules", "functions"),
        provides={"functions": "http"},
        # Functions keep nothing between two calls; a folder of the settings can be read by many.
        replicable=chosen is not None,
        writable=("/var/tmp/sb-compile-edge-runtime",),  # noqa: S108 - in the container
        # Calls under way get time to end.
        stop_grace=30,
    )


def _folder(chosen: str, path: str, c: Context) -> HostFolder:
    return HostFolder(os.path.normpath(Path(c.root).absolute() / chosen), path, setting="supabase.functions.folder")


def _command(c: Context) -> tuple[str, ...]:
    # Not known of the runtimes of 2024.
    idle = (
        ()
        if c.release.features.legacy_names
        else (
            "--user-worker-request-idle-timeout",
            str(c.settings["functions"]["requestIdleTimeout"] * 1000),
        )
    )
    return ("start", *idle, "--main-service", ROUTER)


def _own(c: Context) -> dict[str, Text]:
    found = {
        "JWT_SECRET": text(Secret(JWT_SECRET)),
        "SUPABASE_ANON_KEY": text(Secret(ANON_KEY)),
        "SUPABASE_DB_URL": text(
            f"postgresql://{postgres.USER}:",
            Secret(DATABASE_PASSWORD, Encoding.URL),
            "@",
            Address("postgres"),
            f"/{postgres.database(c)}",
        ),
        "SUPABASE_SERVICE_ROLE_KEY": text(Secret(SERVICE_ROLE_KEY)),
        "VERIFY_JWT": text(str(c.settings["functions"]["verifyJwt"]).lower()),
    }
    if "gateway" in c.running:
        found["SUPABASE_URL"] = text("http://", Address("gateway"))
    if not c.release.features.legacy_names:
        found["SUPABASE_PUBLIC_URL"] = text(c.urls.api)
    if c.asymmetric:
        found["SUPABASE_JWKS"] = text(Secret(JWT_JWKS))
        found["SUPABASE_PUBLISHABLE_KEYS"] = text('{"default":', Secret(PUBLISHABLE_KEY, Encoding.JSON), "}")
        found["SUPABASE_SECRET_KEYS"] = text('{"default":', Secret(SECRET_KEY, Encoding.JSON), "}")
    return found


def _names(c: Context) -> dict[str, str]:
    """The user's secrets for functions: secret by variable."""
    prefix = secret_names.function("")
    return {name.removeprefix(prefix): name for name in sorted(c.secrets) if name.startswith(prefix)}


def _for_functions(c: Context) -> dict[str, Text]:
    return {variable: text(Secret(name)) for variable, name in _names(c).items()}


def _config(c: Context) -> dict[str, Any]:
    """What the router is told; no secret in it."""
    settings = c.settings["functions"]
    each = {name: one.get("verifyJwt", settings["verifyJwt"]) for name, one in sorted(settings["each"].items())}
    limits = {
        "memoryLimitMb": -(-settings["memoryLimit"] // _MIB),
        "workerTimeoutMs": settings["timeout"] * 1000,
        **{theirs: settings[ours] for ours, theirs in _PROCESSOR.items() if ours in settings},
    }
    # Whatever else the settings give this service is meant for the functions, too; but never what the router itself goes by.
    given = c.settings["services"].get("functions", {}).get("env", {})
    hidden = secret_names.of_service("functions", "")
    also = [name.removeprefix(hidden) for name in c.secrets if name.startswith(hidden)]
    return {
        "environment": sorted({*_names(c), *given, *also} - set(_own(c))),
        "folder": FOLDER,
        "limits": limits,
        "off": [name for name, one in sorted(settings["each"].items()) if not one["enabled"]],
        "verifyJwt": each,
    }


_PROCESSOR: Final = {"cpuSoftLimit": "cpuTimeSoftLimitMs", "cpuHardLimit": "cpuTimeHardLimitMs"}
