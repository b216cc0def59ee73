"""Settings of the env files of apps."""

import difflib
import re
from collections.abc import Mapping
from enum import Enum
from typing import Annotated, NotRequired

from typing_extensions import TypedDict

from components import env_template
from components import setting_values as values
from components.env_rules import URLS
from components.env_sources import SOURCES, Source, find
from components.setting_declared import declared
from components.setting_values import Refused, Setting


class EnvFileFormat(str, Enum):
    """How an env file is written."""

    DOTENV = "dotenv"
    DOCKER = "docker"


def variable_key(text: str) -> str:
    """Check the name of a variable of an app: letters, digits and underscores; with dots between, for a file of TOML."""
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z0-9_]+)*", text):
        raise Refused("it is not the name of a variable", 'use letters, digits and "_", not beginning with a digit', hidden=True)
    return text


def template_text(text: str) -> str:
    """Check the text of a variable: its references name values that a stack can have."""
    return referring(text, {})


def referring(text: str, more: Mapping[str, Source]) -> str:
    """Check a text with references to values that a stack can have; `more`: those that only this kind of text knows."""
    try:
        references = env_template.references(text)
    except env_template.TemplateError as error:
        raise Refused("its references can't be read", str(error), hidden=True) from None
    for name, part in ((reference.name, reference.part) for reference in references):
        if (source := more.get(name) or find(name)) is None:
            close = difflib.get_close_matches(name, [*more, *SOURCES], n=1, cutoff=0.6)
            guess = f"did you mean {close[0]}? " if close else ""
            raise Refused(f"no stack has a value {name}", f"{guess}There are: {', '.join([*more, *SOURCES])}", hidden=True)
        if part and source.rule not in URLS:
            raise Refused(f"{name} is no URL, so it has no {part}", f"write ${{{name}}}", hidden=True)
    if not text.isprintable():
        raise Refused("it has a line break or another character that can't be shown", "write it on one line", hidden=True)
    if len(text) > 4096:
        raise Refused("it is longer than 4096 characters", "choose a shorter one", hidden=True)
    return text


@declared
class EnvFileGroup(TypedDict):
    """Variables that stand together."""

    variables: NotRequired[Annotated[dict[str, str], values.variables(key_check=variable_key, check=template_text)]]
    """As `variables` of the file."""


@declared
class EnvFileSettings(TypedDict):
    """The env file of one app."""

    path: NotRequired[Annotated[str, Setting(check=values.file_path)]]
    """Where, absolute or from the project's folder; `${STACK}` is the stack's name. Unset: `.env`, from instance 2 on `.env.${STACK}`."""
    format: NotRequired[Annotated[EnvFileFormat, Setting(default="dotenv")]]
    """`dotenv` for apps, shells and Next.js; `docker` for `docker --env-file`, which takes no quotes."""
    overwrite: NotRequired[Annotated[bool, Setting(default=False)]]
    """Replace a file that is there and was not written by this stack."""
    variables: NotRequired[Annotated[dict[str, str], values.variables(key_check=variable_key, check=template_text)]]
    """Variables of an app of your own, or more of a built-in one: texts with `${NAME}` for the stack's values (docs/env-files.md)."""
    groups: NotRequired[Annotated[dict[str, EnvFileGroup], Setting(default={}, key_check=values.line_of_text)]]
    """More variables, each group under its name as a comment, sorted by it."""
