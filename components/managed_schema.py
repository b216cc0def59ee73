"""ManagedSchema: the tests' schema in a database that others run, made only where the settings say so.

It is the one thing that a stack makes there. Nothing is ever taken away: the schema stays when the setting goes, or the stack.

The state refers to the provider by this module's name: moving it needs care for existing states.
"""

import sys
from collections.abc import Mapping
from typing import Any, Final

import pulumi
from pulumi import dynamic

from components.engine_log import say, warn
from components.unknowns import marked
from components.verification.given import Given

_TOLD: Final = ("host", "port", "database", "user", "schema", "sslmode", "password")
"""What makes an update when it differs. The password does too: a refresh looks with the one that the state keeps.

The authority's file does not: it lies elsewhere on each machine that deploys.
"""
_KEPT: Final = (*_TOLD, "ca")
_WHERE: Final = ("host", "database", "schema")


class ManagedSchemaError(Exception):
    """The schema could not be made. The text says which, why and what to do; no secret is in it."""


class ManagedSchema(dynamic.Resource, module="supastack", name="ManagedSchema"):
    """A schema, with all rights on it for the role that logs in."""

    def __init__(self, name: str, endpoint: Mapping[str, Any], schema: str, opts: pulumi.ResourceOptions | None = None) -> None:
        """Declare the schema.

        Args:
            name: Name of the resource.
            endpoint: How the database is reached, as `components.verification.endpoints` tells it.
            schema: Name of the schema; it needs no quotes, but might be a word of SQL.
            opts: Options of the resource.
        """
        told = {key: value for key, value in endpoint.items() if key not in ("kind", "key")}
        super().__init__(ManagedSchemaProvider(), name, {**told, "schema": schema}, opts)


class ManagedSchemaProvider(dynamic.ResourceProvider):
    """What the engine does with a `ManagedSchema`. Property bags arrive with secrets in clear: nothing here prints a value."""

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> dynamic.CheckResult:
        """Nothing is asked here: a preview makes and needs no connection."""
        return dynamic.CheckResult(marked(news), [])

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.DiffResult:
        """An update where the schema is to be elsewhere, is called otherwise, or is reached otherwise; it never makes another one go."""
        news = marked(_news)
        return dynamic.DiffResult(changes=any(_olds.get(key) != news.get(key) for key in _TOLD))

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        """Make it where it is not there."""
        _make(props)
        return dynamic.CreateResult(f"{props['host']}/{props['database']}/{props['schema']}", _kept(props))

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.UpdateResult:
        """Make it where it is not there."""
        _make(_news)
        if any(_olds.get(key) != _news.get(key) for key in _WHERE):
            say(f"schema {_olds['schema']} of {_olds['host']}/{_olds['database']} stays, with what is in it")
        return dynamic.UpdateResult(_kept(_news))

    def read(self, id_: str, props: dict[str, Any]) -> dynamic.ReadResult:
        """See whether it is there; one that somebody dropped is made anew by the next deployment."""
        if _gone(props):
            return dynamic.ReadResult("", {})
        return dynamic.ReadResult(id_, props, dict(props))

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Nothing."""
        say(f"schema {_props['schema']} of {_props['host']}/{_props['database']} stays, with what is in it: drop it by hand")


def _kept(props: Mapping[str, Any]) -> dict[str, Any]:
    return {key: props[key] for key in _KEPT if key in props}


def _make(props: Mapping[str, Any]) -> None:
    import psycopg
    from psycopg import sql

    from components.verification import postgres
    from components.verification.wrong import Wrong, told

    endpoint, schema = Given(props), sql.Identifier(props["schema"])
    try:
        postgres.reach(endpoint)
        with psycopg.connect(**postgres.connection(endpoint)) as session:
            session.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(schema))
            session.execute(sql.SQL("GRANT ALL ON SCHEMA {} TO CURRENT_USER").format(schema))
    except psycopg.errors.InsufficientPrivilege:
        why = Wrong(f"{endpoint['user']} may not make the schema {props['schema']}", "have it made by whoever may", None)
        raise _refuse(told(endpoint, why)) from None
    except psycopg.Error as error:
        raise _refuse(told(endpoint, postgres.why(error, endpoint))) from None
    except Wrong as wrong:
        raise _refuse(told(endpoint, wrong)) from None


def _gone(props: Mapping[str, Any]) -> bool:
    """Whether the schema is not there. What can't be asked counts as it was, with a word on it."""
    import psycopg

    from components.verification import postgres
    from components.verification.wrong import Wrong

    endpoint = Given(props)
    try:
        postgres.reach(endpoint)
        with psycopg.connect(**postgres.connection(endpoint)) as session:
            query = "SELECT 1 FROM pg_namespace WHERE nspname = %s"
            return session.execute(query, (props["schema"],)).fetchone() is None
    except (psycopg.Error, Wrong):
        warn(f"schema {props['schema']} of {props['host']}/{props['database']} can't be looked at from here; it counts as it was")
        return False


def _refuse(reason: str) -> ManagedSchemaError:
    # The SDK sends the traceback of what a provider raises to the user; this leaves the last line of it.
    sys.tracebacklimit = 0
    return ManagedSchemaError(reason)
