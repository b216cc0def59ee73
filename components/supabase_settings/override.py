"""What one service can be given beside its settings: the way out where Supastack has no setting."""

from typing import Annotated, Final, NotRequired

from typing_extensions import TypedDict

from components.setting_declared import declared
from components.setting_values import Refused, size, variables

SERVICES: Final = (
    "postgres",
    "gateway",
    "auth",
    "rest",
    "realtime",
    "storage",
    "imgproxy",
    "meta",
    "functions",
    "studio",
    "pooler",
    "analytics",
    "vector",
    "mail",
)
"""Names of the services of a Supabase stack."""


def service_name(text: str) -> str:
    """Check the name of a service of the Supabase stack."""
    if text not in SERVICES:
        raise Refused("there is no such service", f"name one of these: {', '.join(SERVICES)}")
    return text


def variable_name(text: str) -> str:
    """Check the name of an environment variable (POSIX: upper or lower case letters, digits and underscores)."""
    if not text.isascii() or not text.isidentifier():
        raise Refused("it is not the name of an environment variable", 'use letters, digits and "_", not beginning with a digit')
    return text


def variable_value(text: str) -> str:
    """Check the value of an environment variable: no NUL, and no longer than Linux takes (execve(2): MAX_ARG_STRLEN)."""
    if "\0" in text:
        raise Refused("it has a NUL, which ends a text in an environment", "take it out", hidden=True)
    if len(text.encode()) > 131000:
        raise Refused(
            "it is longer than an environment variable can be (128 KiB with its name)", "choose a shorter one", hidden=True
        )
    return text


@declared
class ServiceOverride(TypedDict):
    """What one service is given beside its settings."""

    env: NotRequired[Annotated[dict[str, str], variables(key_check=variable_name, check=variable_value)]]
    """Environment variables, in upstream's terms; they win over Supastack's own. For secrets: `serviceSecrets`."""
    memory: NotRequired[Annotated[str, size(minimum="16mb")]]
    """Memory limit. Unset: the service's own default."""
