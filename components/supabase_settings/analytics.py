"""Settings of the logs: Logflare keeps them, Vector brings them."""

from typing import Annotated, NotRequired

from typing_extensions import TypedDict

from components.setting_declared import declared
from components.setting_values import Setting


@declared
class AnalyticsSettings(TypedDict):
    """Logs (Logflare)."""

    enabled: NotRequired[Annotated[bool, Setting(default=False)]]
    """Whether the stack has it. It takes 2 GB of memory."""
    publish: NotRequired[Annotated[bool, Setting(default=False)]]
    """Whether Logflare itself is published, on the port `analytics`; whoever has a token can read all logs there."""


@declared
class VectorSettings(TypedDict):
    """Log shipping (Vector)."""

    enabled: NotRequired[Annotated[bool, Setting(default=False)]]
    """Whether the stack has it. It reads the Docker daemon's socket (`docker.socket`), and needs `analytics`."""
