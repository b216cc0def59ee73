"""What the settings of the database say of servers that others run: a database that is only used, and read replicas. Pure.

`database` is always the completed group `supabase.database`, its choices as their Enum.
"""

from collections.abc import Mapping
from typing import Any

from components.supabase_settings.database_engine import DatabaseEngine, SslMode


def only_used(database: Mapping[str, Any]) -> bool:
    """Whether others run and prepare the database, so that nothing is made in it but what the settings name."""
    return database["engine"] is DatabaseEngine.EXTERNAL and not database["external"]["bootstrap"]


def makes_test_schema(database: Mapping[str, Any]) -> bool:
    """Whether the schema of the tests is made with the other schemas; a database that is only used gets it by `createTestSchema`."""
    return "testSchema" in database and (bool(database["createTestSchema"]) or not only_used(database))


def replica_sslmode(database: Mapping[str, Any], host: str) -> SslMode:
    """Whether connections to a read replica at this host are encrypted.

    As `readReplicaSslmode` says, else as those to an external database. Where nothing says it, `require` at a public host (chosen by
    us): the replica's password and rows would travel in the clear through networks of strangers, and no server would say a word.
    """
    if (said := database.get("readReplicaSslmode")) is not None:
        return SslMode(said)
    external = database["engine"] is DatabaseEngine.EXTERNAL
    mode = SslMode(database["external"]["sslmode"]) if external else SslMode.PREFER
    if mode is not SslMode.PREFER:
        return mode
    from policies.values import is_public  # a stack without replicas does not pay for it

    return SslMode.REQUIRE if is_public(host) else mode


def replica_authority(database: Mapping[str, Any]) -> str | None:
    """File of the authority that the certificates of read replicas are verified by; None: the machine's authorities."""
    own: str | None = database.get("readReplicaCaCertificate")
    if own is None and database["engine"] is DatabaseEngine.EXTERNAL:
        own = database["external"].get("caCertificate")
    return own
