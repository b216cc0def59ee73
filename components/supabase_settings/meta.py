"""Settings of the database management API (postgres-meta)."""

from typing import Annotated, NotRequired

from typing_extensions import TypedDict

from components.setting_declared import declared
from components.setting_values import Setting


@declared
class MetaSettings(TypedDict):
    """Database management API (postgres-meta)."""

    enabled: NotRequired[Annotated[bool, Setting(default=True)]]
    """Whether the stack has it."""
