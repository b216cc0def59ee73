"""The env files of the apps, and the values that only they need: passwords of the set-up page and of the first administrator."""

from collections.abc import Mapping
from typing import Any

import pulumi

from components import env_files, env_of_state, env_template, secrets
from components.env_file import EnvFile
from components.plan import Plan
from components.settings import Settings

_SPECS = {
    "SETUP_PASSWORD": ("setupPassword", secrets.SecretSpec("setup-password", length=24)),
    # The account is made once, in the database: a new password here would not be its password.
    "ADMIN_PASSWORD": ("adminPassword", secrets.SecretSpec("admin-password", length=24)),
}


def made(plan: Plan) -> Mapping[str, pulumi.Input[str]]:
    """What is made for the apps alone, by source; also where there are none just now: what is protected can't leave the program."""
    given = {spec.name: held for setting, spec in _SPECS.values() if (held := plan.secret(setting)) is not None}
    found = secrets.make(None, "app", [spec for _, spec in _SPECS.values()], given)
    return {variable: found[spec.name] for variable, (_, spec) in _SPECS.items()}


def told(plan: Plan, given: Mapping[str, Any], values: Mapping[str, pulumi.Input[str]]) -> dict[str, Any]:
    """The output by which an env file can be filled wherever the state is read: the values that are no output of their own.

    Args:
        plan: What the stack is made of.
        given: The stack's outputs.
        values: What was made for apps alone (`made`).
    """
    found = {**known_values(plan), **values}
    return {env_of_state.OUTPUT: {name: found[name] for name in sorted(found) if name not in given}}


def planned(plan: Plan) -> list[dict[str, Any]]:
    """The files that will be written, with the values that are known before anything is made, for the checks."""
    settings = plan.settings
    known: dict[str, pulumi.Input[str]] = {
        **known_values(plan),
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
            "layout": env_files.shape(plan.apps[app]),
            "values": {**_filled(env_files.select(plan.apps[app], known), known), **_hidden(settings, app)},
        }
        for app, file in sorted(settings.env_files.items())
    ]


def write(plan: Plan, outputs: Mapping[str, pulumi.Input[Any]], after: pulumi.Resource | None) -> None:
    """Writes the env file of every app that the settings name.

    Args:
        plan: What the stack is made of.
        outputs: The stack's outputs, and what was made for apps alone (`made`); variables that need one that does not exist are left out.
        after: What must be well before an app is told where it is; None where nothing is deployed.
    """
    files = plan.settings.env_files
    if not files:
        return
    sources = {**known_values(plan), **outputs}
    for app, file in sorted(files.items()):
        template = plan.apps[app]
        EnvFile(
            f"env-{app}",
            app=template,
            path=str(file.path),
            fmt=file.format.value,
            overwrite=file.overwrite,
            values={**_filled(env_files.select(template, sources), sources), **_hidden(plan.settings, app)},
            opts=pulumi.ResourceOptions(depends_on=[] if after is None else [after]),
        )


def _hidden(settings: Settings, app: str) -> dict[str, pulumi.Output[str]]:
    """The variables of an app that are secret settings, as far as they can be read."""
    given = {key: settings.secrets.get(f"appSecrets.{app}.{key}") for key in settings.env_files[app].own.hidden}
    return {key: pulumi.Output.secret(held.get_secret_value()) for key, held in given.items() if held is not None}


def known_values(plan: Plan) -> dict[str, str]:
    """The stack's values that are known before anything is made, by name."""
    return {name: value for name, value in plan.values.items() if value is not None}


def _filled(texts: Mapping[str, str], sources: Mapping[str, pulumi.Input[str]]) -> dict[str, pulumi.Input[str]]:
    """The texts with their references replaced: secret where one of these is, plain where all of them are."""
    return {key: fill(text, sources) for key, text in texts.items()}


def fill(text: str, sources: Mapping[str, pulumi.Input[str]]) -> pulumi.Input[str]:
    """A text with its references replaced: plain where all that it refers to is."""
    used = {name: sources[name] for name in env_template.names(text)}
    filled = env_template.filler(text)
    plain = {name: value for name, value in used.items() if isinstance(value, str)}
    return filled(plain) if len(plain) == len(used) else pulumi.Output.all(**used).apply(filled)
