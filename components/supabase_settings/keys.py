"""Settings of the API keys. The keys themselves are secret settings of the stack."""

from typing import Annotated, NotRequired

from typing_extensions import TypedDict

from components.setting_declared import declared
from components.setting_values import Setting


@declared
class KeySettings(TypedDict):
    """The API keys."""

    asymmetric: NotRequired[Annotated[bool, Setting(default=True)]]
    """Sign tokens with an ES256 key and accept the sb_ keys, where the release can; the old keys go on working."""
