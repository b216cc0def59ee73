"""Which secrets a component has, and how they are made and kept.

A secret is generated once and lives in the state, or the user brings it as a secret setting. Generated ones are letters and digits
only, so that they need no quoting or encoding anywhere.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pulumi
import pulumi_random as random


@dataclass(frozen=True, slots=True)
class SecretSpec:
    """One secret of a component.

    Attributes:
        name: Unique in its component.
        length: Characters, of 62 kinds: 32 are 190 bits.
        upper_only: Letters are upper case only, as access key ids are written.
        keeps_data: Data on a precious volume can only be read with it: it is protected along with the data.
    """

    name: str
    length: int = 32
    upper_only: bool = False
    keeps_data: bool = True


def make(
    component: pulumi.ComponentResource | None,
    name: str,
    specs: Iterable[SecretSpec],
    given: Mapping[str, pulumi.Input[str]],
) -> dict[str, pulumi.Output[str]]:
    """Every secret by its name; those in `given` are the user's own, the others are generated.

    Args:
        component: Parent of what is made; None: the stack itself.
        name: The component's name, the first part of each child's.
        specs: What there has to be.
        given: The user's own values by secret name.
    """
    made: dict[str, pulumi.Output[str]] = {}
    for spec in specs:
        # Made even where the user gives one: what is protected can't leave the program again, and a setting may come later.
        generated = random.RandomPassword(
            f"{name}-{spec.name}",
            length=spec.length,
            special=False,
            lower=not spec.upper_only,
            opts=pulumi.ResourceOptions(parent=component, protect=spec.keeps_data),
        )
        made[spec.name] = pulumi.Output.secret(given[spec.name]) if spec.name in given else generated.result
    return made
