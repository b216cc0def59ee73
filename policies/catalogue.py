"""All rules, in the order of their ids."""

from typing import Final

from policies import images, keys, network, secrecy, upkeep, workloads
from policies.ids import IDS
from policies.model import Rule

_BY_ID: Final = {rule.id: rule for module in (secrecy, keys, images, network, upkeep, workloads) for rule in module.RULES}

RULES: Final[tuple[Rule, ...]] = tuple(_BY_ID[name] for name in IDS)
