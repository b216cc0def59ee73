"""Settings of the REST API (PostgREST)."""

from typing import Annotated, NotRequired

from typing_extensions import TypedDict

from components.setting_declared import declared
from components.setting_values import Setting


@declared
class RestSettings(TypedDict):
    """REST API (PostgREST)."""

    enabled: NotRequired[Annotated[bool, Setting(default=True)]]
    """Whether the stack has it."""
