"""Settings of Storage and of its image transformation."""

from typing import Annotated, NotRequired

from typing_extensions import TypedDict

from components.setting_declared import declared
from components.setting_values import Setting


@declared
class StorageSettings(TypedDict):
    """Storage."""

    enabled: NotRequired[Annotated[bool, Setting(default=True)]]
    """Whether the stack has it."""


@declared
class ImgproxySettings(TypedDict):
    """Image transformation (imgproxy)."""

    enabled: NotRequired[Annotated[bool, Setting(default=True)]]
    """Whether the stack has it."""
