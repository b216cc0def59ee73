"""Settings of the edge functions (edge-runtime)."""

from typing import Annotated, NotRequired

from typing_extensions import TypedDict

from components.setting_declared import declared
from components.setting_values import Setting


@declared
class FunctionsSettings(TypedDict):
    """Edge functions (edge-runtime)."""

    enabled: NotRequired[Annotated[bool, Setting(default=True)]]
    """Whether the stack has it."""
