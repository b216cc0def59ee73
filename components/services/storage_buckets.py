"""The job that makes Storage's buckets and the policies on their objects, as the settings ask for them."""

import json
from collections.abc import Mapping
from enum import Enum
from typing import Any

from components import sql
from components.encode import encode
from components.service import Address, AddressPart, Edge, Encoding, File, Gate, Kind, Resources, Secret, Service, text
from components.services import postgres
from components.services.context import Context
from components.services.secret_names import DATABASE_PASSWORD


def storage_buckets(c: Context) -> Service | None:
    """The job; None where the settings name no bucket, or Storage does not run.

    It waits for Storage, which makes the tables. Where Storage is a stub there are none: the job says so and ends well.
    """
    buckets = c.settings["storage"]["buckets"]
    if not buckets or not c.runs("storage"):
        return None
    path = "/etc/supastack/buckets.sql"
    stub = c.release.image_if_any("storage").kind == "stub"
    return Service(
        name="storage-buckets",
        kind=Kind.JOB,
        # For its psql.
        image=c.release.image_if_any("postgres"),
        resources=Resources(memory_mib=64),
        entrypoint=("psql",),
        command=("--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--file", path),
        env={
            "PGDATABASE": text(postgres.database(c)),
            "PGHOST": text(Address("postgres", AddressPart.HOST)),
            "PGPASSWORD": text(Secret(DATABASE_PASSWORD)),
            "PGPORT": text(Address("postgres", AddressPart.PORT)),
            # Conditions may speak of tables and functions that the owner of Storage's tables can't see.
            "PGUSER": text(postgres.ADMIN),
        },
        files=(File(path, text(statements(buckets, stub=stub))),),
        connects=(Edge("storage", Gate.HEALTHY), Edge("postgres")),
    )


def statements(buckets: Mapping[str, Any], *, stub: bool) -> str:
    """What psql is given to make these buckets, settings as they are completed: `stub` says whether Storage is one."""
    wanted = json.dumps(_plain(buckets), sort_keys=True, ensure_ascii=False)
    said = sql.read("buckets.sql").replace("@STUB@", encode(str(stub).lower(), Encoding.SQL))
    return said.replace("@BUCKETS@", encode(wanted, Encoding.SQL))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value.value if isinstance(value, Enum) else value
