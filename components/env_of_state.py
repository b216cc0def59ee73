"""An app's env file as a stack's state has it, for a machine where the file is not: its values, and its text. Pure, but for the stack file.

Where the stack writes the file, the state holds its values. Where it writes none, the template is filled with the stack's outputs.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from components import env_file_header, env_files, env_format, env_template
from components.env_app import App, Layout
from components.env_file_header import Owner
from components.env_format import Format
from components.env_own import secrets_of, template_of

OUTPUT: Final = "ENV_VALUES"
"""The output with the values that env files alone have, by name: with the other outputs every file can be filled."""


@dataclass(frozen=True)
class Told:
    """An env file that need not be there.

    Attributes:
        app: Its template, which says what is secret.
        layout: In what order its text stands.
        format: How it is written.
        values: Value by key.
        owner: Whose it is; None: the stack writes no such file.
        left_out: The variables that the app does not work without and that have no value, with the names of those that they need.
    """

    app: App
    layout: Layout
    format: Format
    values: Mapping[str, str]
    owner: Owner | None = None
    left_out: Mapping[str, list[str]] = field(default_factory=dict)

    def text(self) -> str:
        """The file, as the stack writes it: it may be put in its place. One that the stack does not write has no header.

        Raises:
            env_files.UnwritableError: the format can't carry some value.
        """
        body = env_files.render(self.layout, self.values, self.format)
        return body if self.owner is None else env_file_header.put(self.owner, self.format, f"\n{body}".encode()).decode()

    def beside(self, content: bytes) -> "Told":
        """With what a hand has added to the file; what the state has a value of stays as there."""
        header = env_file_header.parse(content)
        if header is None or header.owner != self.owner or not header.edited:
            return self
        return replace(self, values={**env_format.read(content.decode(), header.format).values, **self.values})


def of_file(props: Mapping[str, Any], config: Path | None) -> Told:
    """What the state has of an env file.

    Args:
        props: The inputs of the `EnvFile`, secrets in clear.
        config: The stack file; a template that is not in it any more leaves all values secret.

    Raises:
        ValueError: the state is of a version that did not tell the file's layout, and the app is not known either.
    """
    name = str(props["app"])
    try:
        app = template_of(name, config)
    except (ValueError, OSError):
        app = App(name, ())
    shape = props.get("layout") or env_files.shape(env_files.app_named(name))
    return Told(
        app=app,
        layout=env_files.layout(name, shape, str(props.get("setting") or "")),
        format=Format(props["format"]),
        values=props["values"],
        owner=Owner(str(props["project"]), str(props["stack"]), name),
    )


def of_outputs(name: str, config: Path | None, outputs: Mapping[str, Any]) -> Told:
    """What an app's env file would hold, if the stack wrote it.

    Args:
        name: The app.
        config: The stack file.
        outputs: Of the stack by name, secrets in clear.

    Raises:
        ValueError: there is no such app, or the stack file is wrong.
        OSError: it can't be read.
    """
    template = template_of(name, config)
    hidden = secrets_of(name, config)
    of_apps = outputs.get(OUTPUT)
    sources = {
        source: value
        for source, value in {**(of_apps if isinstance(of_apps, dict) else {}), **outputs}.items()
        if isinstance(value, str)
    }
    texts = {key: text for key, text in env_files.select(template, sources).items() if key not in hidden}
    return Told(
        app=template,
        layout=template.layout,
        format=template.format or Format.DOTENV,
        values={key: env_template.fill(text, sources) for key, text in texts.items()},
        left_out={**env_files.left_out(template, sources), **{key: [hidden[key]] for key in sorted(hidden)}},
    )
