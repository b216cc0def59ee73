"""The job that makes Storage's buckets and the policies on their objects, as the settings ask for them."""

import json
from collections.abc import Mapping
from enum import Enum
from typing import Any

from components import sql
from components.encode import encode
from components.service import Encoding, Service
from components.services import postgres
from components.services.context import Context
from components.services.psql_job import psql_job
from components.services.secret_names import DATABASE_PASSWORD


def storage_buckets(c: Context) -> Service | None:
    """The job; None where the settings name no bucket, or Storage does not run.

    It waits for Storage, which makes the tables. Where Storage is a stub there are none: the job says so and ends well.
    """
    buckets = c.settings["storage"]["buckets"]
    if not buckets or not c.runs("storage"):
        return None
    stub = c.release.image_if_any("storage").kind == "stub"
    return psql_job(
        "storage-buckets",
        c.release.image_if_any("postgres"),
        statements(buckets, stub=stub),
        file="buckets.sql",
        server="postgres",
        database=postgres.database(c),
        # Conditions may speak of tables and functions that the owner of Storage's tables can't see.
        user=postgres.ADMIN,
        password=DATABASE_PASSWORD,
        after="storage",
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
