"""The template of an app as a stack file has it, read without the rest of the settings: what checks an env file must not need them."""

from pathlib import Path

from components import env_files
from components.config_values import from_config, with_defaults
from components.env_app import App
from components.env_files import Own
from components.setting_schema import fields, key_text, validate
from components.settings import PROJECT
from components.stack_file import read


def template_of(app: str, config: Path | None) -> App:
    """The template of an app: the built-in one, with what the stack file adds to it, or one of the stack's own.

    Args:
        app: Its name.
        config: A stack file; None: only what is built in counts.

    Raises:
        ValueError: There is no such app, or the file's `envFiles` are wrong.
        OSError: The file can't be read.
    """
    return env_files.template(app, _own(app, config) if config else _NOTHING)


_NOTHING = Own(variables={}, groups={})


def _own(app: str, config: Path) -> Own:
    found = read(config.read_text(encoding="utf-8"))
    given = found.get(f"{PROJECT}:envFiles", found.get("envFiles"))
    if given is None:
        return _NOTHING
    field = fields()["envFiles"]
    values, problems = validate({"envFiles": with_defaults(field, from_config(field, given))})
    mine = [p for p in problems if len(p.path) < 2 or p.path[1] == app]
    if mine:
        raise ValueError("\n".join(f"{config}: {key_text(PROJECT, p.path)}: {p.reason}; {p.fix}" for p in mine))
    file = values["envFiles"].get(app)
    secrets = found.get(f"{PROJECT}:appSecrets", found.get("appSecrets"))
    hidden = secrets.get(app) if isinstance(secrets, dict) else None
    return _NOTHING if file is None else Own.of(file, hidden if isinstance(hidden, dict) else ())
