"""Settings of the policies: which environment a stack is, and which rules are waived, with the reason."""

import difflib
from enum import Enum
from typing import Annotated, NotRequired

from typing_extensions import TypedDict

from components.setting_declared import declared
from components.setting_values import Refused, Setting

_LEAST_REASON = 10
"""Characters. Chosen by us: less is a word, and no reason."""


class Environment(str, Enum):
    """What a stack is for. Policies are mandatory in prod, and advice elsewhere."""

    DEV = "dev"
    STAGING = "staging"
    PROD = "prod"


def waived(key: str) -> str:
    """Check the key of a waiver: the id of a rule, and, for one resource alone, a slash and the resource's name."""
    from policies.ids import IDS  # only stacks that waive something pay for it

    rule, slash, resource = key.partition("/")
    if rule not in IDS:
        near = difflib.get_close_matches(rule, IDS, 1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise Refused("there is no such rule", f"{hint}docs/policies.md has them all: {', '.join(IDS)}")
    if slash and not resource:
        raise Refused("it names no resource after the slash", "name one as the preview does, or leave the slash out")
    return key


def reason(text: str) -> str:
    """Check the reason of a waiver."""
    if len(text.strip()) < _LEAST_REASON:
        raise Refused("a waiver needs a reason", "say in a sentence why the rule does not count here, and until when")
    return text.strip()


@declared
class PoliciesSettings(TypedDict):
    """The policies (docs/policies.md)."""

    waivers: NotRequired[Annotated[dict[str, str], Setting(default={}, key_check=waived, check=reason)]]
    """Why a rule does not count here, by its id, or for one resource alone by `<rule>/<resource>`. Every preview shows them."""
