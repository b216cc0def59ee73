"""The job that brings a running database in line with the stack's secrets and settings."""

from dataclasses import replace
from typing import Final

from components.service import Secret, Service, text
from components.services import database_engine, secret_names
from components.services.context import Context
from components.services.database_bootstrap import NAME as BOOTSTRAP
from components.services.database_bootstrap import job
from components.supabase_settings.database_engine import OWN_ROLES, DatabaseEngine

NAME: Final = "database-sync"


def database_sync(c: Context) -> Service | None:
    """The job; None where the database is another's to manage, sleeps, or can't have other secrets than it was made with.

    It runs whenever one of them is another: on a target whose jobs are named by what they are told.
    """
    external = database_engine.of(c.settings) is DatabaseEngine.EXTERNAL
    # Nobody looks whether the password of a server of others' has changed.
    if not (c.synchronised or external) or database_engine.asleep(c.settings):
        return None
    if external and not c.settings["database"]["external"]["bootstrap"]:
        return None
    env = {
        **database_engine.administrator(c),
        "DATABASE_PASSWORD": text(Secret(secret_names.DATABASE_PASSWORD)),
        "JWT_EXP": text(str(c.settings["auth"]["jwtExpiry"])),
        "JWT_SECRET": text(Secret(secret_names.JWT_SECRET)),
    }
    if not external or c.settings["database"]["external"]["user"] in OWN_ROLES:
        # A server of others' has an administrator whose password stays.
        env["SYNC_PASSWORD"] = text(Secret(secret_names.DATABASE_SYNC_PASSWORD))
    # Where there is no such job, nothing waits for it.
    return replace(job(c, NAME, "sync.sh", ("sync.sql",), env), after=(BOOTSTRAP,))
