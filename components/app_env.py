"""The env files of the apps, and the values that only they need: passwords of the set-up page and of the first administrator."""

from collections.abc import Mapping
from typing import Any

import pulumi

from components import env_files, secrets
from components.env_file import EnvFile
from components.settings import Settings

_SPECS = {
    "SETUP_PASSWORD": ("setupPassword", secrets.SecretSpec("setup-password", length=24)),
    # The account is made once, in the database: a new password here would not be its password.
    "ADMIN_PASSWORD": ("adminPassword", secrets.SecretSpec("admin-password", length=24)),
}


def _values(settings: Settings) -> Mapping[str, pulumi.Input[str]]:
    """What an env file takes beside the stack's outputs, by source."""
    given = {
        spec.name: settings.secrets[setting].get_secret_value()
        for setting, spec in _SPECS.values()
        if setting in settings.secrets
    }
    made = secrets.make(None, "app", [spec for _, spec in _SPECS.values()], given)
    return {
        **{variable: made[spec.name] for variable, (_, spec) in _SPECS.items()},
        **_plain(settings),
    }


def planned(settings: Settings) -> list[dict[str, Any]]:
    """The files that will be written, with the values that are known before anything is made, for the checks."""
    known: dict[str, pulumi.Input[str]] = {
        **_plain(settings),
        **{
            variable: pulumi.Output.secret(settings.secrets[setting].get_secret_value())
            for variable, (setting, _) in _SPECS.items()
            if setting in settings.secrets
        },
    }
    return [
        {
            "app": app,
            "path": str(file.path),
            "format": file.format.value,
            "overwrite": file.overwrite,
            "values": {key: known[source] for key, source in env_files.select(app, known).items()},
        }
        for app, file in sorted(settings.env_files.items())
    ]


def _plain(settings: Settings) -> dict[str, str]:
    return {
        "ADMIN_EMAIL": settings.admin.email,
        "ADMIN_NAME": settings.admin.name,
        "APP_PORT": str(settings.app.port),
        "INSTANCE_ID": str(settings.instance),
    }


def write(settings: Settings, outputs: Mapping[str, pulumi.Input[str]], after: pulumi.Resource) -> None:
    """Writes the env file of every app that the settings name.

    Args:
        settings: The settings of the stack.
        outputs: The stack's outputs; keys whose output does not exist are left out.
        after: What must be well before an app is told where it is.
    """
    if not settings.env_files:
        return
    sources = {**outputs, **_values(settings)}
    for app, file in sorted(settings.env_files.items()):
        EnvFile(
            f"env-{app}",
            app=app,
            path=str(file.path),
            fmt=file.format.value,
            overwrite=file.overwrite,
            values={key: sources[source] for key, source in env_files.select(app, sources).items()},
            opts=pulumi.ResourceOptions(depends_on=[after]),
        )
