"""Settings of Studio."""

import re
from typing import Annotated, NotRequired

from typing_extensions import TypedDict

from components import setting_values as values
from components.setting_declared import declared
from components.setting_values import Refused, Setting


def login_name(text: str) -> str:
    """Check the name of a basic auth login: no colon (RFC 7617), and none of what the gateways' files give a meaning."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}", text):
        raise Refused("it is not a name to log in with", 'use up to 64 letters, digits, ".", "_", "@" and "-"')
    return text


@declared
class StudioSettings(TypedDict):
    """Studio, the dashboard."""

    enabled: NotRequired[Annotated[bool, Setting(default=True)]]
    """Whether the stack has it. It needs the gateway and postgres-meta."""
    username: NotRequired[Annotated[str, Setting(default="supabase", check=login_name)]]
    """DASHBOARD_USERNAME: name to log in with. The password is `dashboardPassword`."""
    defaultOrganization: NotRequired[Annotated[str, Setting(default="Default Organization", check=values.line_of_text)]]
    """Name of the organization that it shows."""
    defaultProject: NotRequired[Annotated[str, Setting(default="Default Project", check=values.line_of_text)]]
    """Name of the project that it shows."""
