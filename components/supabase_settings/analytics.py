"""Settings of the logs: Logflare keeps them, Vector brings them."""

from typing import Annotated, NotRequired

from typing_extensions import TypedDict

from components.setting_declared import declared
from components.setting_values import Setting


@declared
class AnalyticsSettings(TypedDict):
    """Logs (Logflare)."""

    enabled: NotRequired[Annotated[bool, Setting(default=False)]]
    """Whether the stack has it."""


@declared
class VectorSettings(TypedDict):
    """Log shipping (Vector)."""

    enabled: NotRequired[Annotated[bool, Setting(default=False)]]
    """Whether the stack has it."""
