"""Settings of the tasks that run by the clock."""

import re
from typing import Annotated, NotRequired

from typing_extensions import TypedDict

from components import cron_values
from components.setting_declared import declared
from components.setting_values import Refused, Setting
from components.supabase_settings.functions import function_name


def times(text: str) -> str:
    """Check when a task runs, as pg_cron takes it: five fields (minute, hour, day, month, weekday; GMT), or "30 seconds"."""
    fix = 'write five fields, as in "0 3 * * *" for each night at 3 (GMT), or 1 to 59 "seconds"'
    if re.fullmatch(r"([1-9]|[1-5][0-9]) seconds", text, re.ASCII):
        return text
    reason = "it has five fields: minute, hour, day, month, weekday"
    return cron_values.checked(text, seconds=False, reason=reason, fix=fix)


def task_name(text: str) -> str:
    """Check the name of a task."""
    if not re.fullmatch(r"[a-z][a-zA-Z0-9_-]{0,49}", text, re.ASCII):
        raise Refused(
            "it is not the name of a task",
            'use up to 50 letters, digits, "_" and "-", beginning with a small one, as in "cleanup"',
        )
    return text


def statement(text: str) -> str:
    """Check what a task runs: any SQL. Whether the database understands it only that can tell, when it runs."""
    if not text.strip() or "\0" in text or len(text) > 10000:
        raise Refused("it is empty, or too long for a statement", 'write SQL, as in "call clean_up()"')
    return text


@declared
class TaskSettings(TypedDict):
    """One task."""

    enabled: NotRequired[Annotated[bool, Setting(default=True)]]
    """Whether it runs."""
    schedule: NotRequired[Annotated[str, Setting(check=times)]]
    """When, as pg_cron takes it: "0 3 * * *" is each night at 3 (GMT), "30 seconds" is all the time."""
    sql: NotRequired[Annotated[str, Setting(check=statement)]]
    """What the database runs, as the login that the app has. No secret may stand in it."""
    function: NotRequired[Annotated[str, Setting(check=function_name)]]
    """Edge function that is to be called, in place of `sql`: the app's own scheduler is told (SCHEDULED_TASKS), the database is not."""
