"""Asks a PostgreSQL server, or a pooler before one."""

from collections.abc import Mapping
from typing import Any

from components.verification import network
from components.verification.wrong import Wrong


def connection(endpoint: Mapping[str, Any]) -> dict[str, Any]:
    """How psycopg connects. Everything that the environment could say otherwise (PGSSLMODE, PGOPTIONS, PGPASSFILE) is said."""
    mode = endpoint["sslmode"]
    return {
        "host": endpoint["host"],
        "port": endpoint["port"],
        "user": endpoint["user"],
        "password": endpoint["password"],
        "dbname": endpoint["database"],
        "sslmode": mode,
        "sslrootcert": network.trusted(endpoint["ca"]) if mode.startswith("verify") else "",
        "connect_timeout": int(network.WITHIN),
        "gssencmode": "disable",
        "options": "",
        "target_session_attrs": "any",
        "application_name": "supastack-verify",
        # A pooler in transaction mode gives the next statement to another server.
        "prepare_threshold": None,
        "autocommit": True,
    }


def ask(endpoint: Mapping[str, Any]) -> None:
    """`reach`, then `log_in`.

    Raises:
        Wrong: it does not answer as it must.
    """
    reach(endpoint)
    log_in(endpoint)


def reach(endpoint: Mapping[str, Any]) -> None:
    """Sees that somebody listens there; no password is sent.

    Args:
        endpoint: `host`, `port`, `sslmode`, `ca` (a file or None), and `banned_fix` where whoever gave wrong passwords is banned.

    Raises:
        Wrong: nobody does, or the authority's file can't be read.
    """
    if endpoint["sslmode"].startswith("verify"):
        # libpq says of a file that it can't read what it says of no certificate.
        network.context(endpoint["ca"])
    try:
        network.reach(endpoint["host"], endpoint["port"])
    except Wrong as wrong:
        raise _perhaps_banned(wrong, endpoint) from None


def log_in(endpoint: Mapping[str, Any]) -> None:
    """Logs in and runs a statement; nothing is done where no password is given, as where the stack makes it itself.

    Args:
        endpoint: What `reach` has, `user`, `password` (or None), `database`, `password_setting`, `password_fix`, `user_setting`,
            `database_setting`, and `schema` with `schema_fix` and `schema_setting` where one must be there.

    Raises:
        Wrong: it does not answer as it must.
    """
    import psycopg

    if endpoint["password"] is None:
        return
    try:
        with psycopg.connect(**connection(endpoint)) as session:
            session.execute("SELECT 1").fetchone()
            if (schema := endpoint.get("schema")) is not None and not _has(session, schema):
                raise Wrong(f"there is no schema {schema}", endpoint["schema_fix"], endpoint["schema_setting"])
    except psycopg.Error as error:
        raise why(error, endpoint) from None


def _has(session: Any, schema: str) -> bool:
    found = session.execute(
        "SELECT has_schema_privilege(oid, 'USAGE') FROM pg_namespace WHERE nspname = %s", (schema,)
    ).fetchone()
    return bool(found and found[0])


def _perhaps_banned(wrong: Wrong, endpoint: Mapping[str, Any]) -> Wrong:
    more = endpoint.get("banned_fix")
    return Wrong(wrong.reason, f"{wrong.fix}; {more}", wrong.setting, silent=True) if wrong.silent and more else wrong


def why(error: Exception, endpoint: Mapping[str, Any]) -> Wrong:
    """What libpq's words mean. They are the client's own, or the server's in its language, which is why the rest is shown as it is."""
    said = str(error)
    password = endpoint["password_setting"]
    if (
        "password authentication failed" in said
        or "SASL authentication failed" in said
        or "auth failed" in said
        or "rong password" in said
    ):
        fix = f"give it anew: {endpoint['password_fix']}"
        return Wrong(f"the password of {endpoint['user']} is wrong", fix, password, password=True)
    if "ircuit breaker" in said:
        # Supavisor (Supabase's article "Supavisor error: 'Circuit breaker open'").
        return Wrong(
            "the pooler turns this machine away for a while, after wrong passwords",
            f"stop what still asks it with another one, wait two minutes; if the password changed: {endpoint['password_fix']}",
            password,
            password=True,
        )
    if "enant" in said and "not found" in said:
        # Supavisor: "Tenant or user not found", "(ENOTFOUND) tenant/user ... not found".
        return Wrong(
            f"the pooler knows no project behind {endpoint['user']}",
            "see that ref and region are the project's, that poolerHost is the one its dashboard shows, and that it is not paused",
        )
    if "does not exist" in said and f'"{endpoint["database"]}"' in said:
        return Wrong(f"there is no database {endpoint['database']}", "name one that is there", endpoint["database_setting"])
    if "no such database" in said:  # PgBouncer's word
        return Wrong(f"there is no database {endpoint['database']}", "name one that is there", endpoint["database_setting"])
    if "does not exist" in said and endpoint["user"] in said:
        return Wrong(f"there is no role {endpoint['user']}", "name one that is there", endpoint["user_setting"])
    if "does not support SSL" in said:
        return Wrong("the server speaks no TLS", "have it turned on there; a password is not sent in the clear")
    if "certificate" in said:
        return network.certificate(said, endpoint["ca"])
    if "no pg_hba.conf entry" in said:
        return Wrong("the server lets nobody in from this machine", "have this machine's address allowed there")
    if "timeout" in said:
        return _perhaps_banned(network.why(TimeoutError(), endpoint["ca"]), endpoint)
    lines = [line for line in said.splitlines() if line.strip()]
    return Wrong(f"it answered: {lines[-1].strip() if lines else type(error).__name__}", "mend what it says")
