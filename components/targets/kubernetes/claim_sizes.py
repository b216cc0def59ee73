"""Claims that are smaller than the settings say.

A StatefulSet's claim templates count as a claim is made; the claim itself is what can be enlarged, where its StorageClass allows it
(Kubernetes' documentation, "Expanding Persistent Volumes Claims"). Nothing is ever made smaller.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from components.targets.kubernetes.resources import quantity

_FACTORS: Final[Mapping[str, int]] = {
    "": 1,
    **{unit: 1000**power for power, unit in enumerate(("k", "M", "G", "T", "P", "E"), 1)},
    **{f"{unit}i": 1024**power for power, unit in enumerate(("K", "M", "G", "T", "P", "E"), 1)},
}


def _bytes(written: str) -> int | None:
    """A quantity of whole units in bytes; None for one that is written in another way."""
    found = re.fullmatch(r"(\d+)([kMGTPE]?|[KMGTPE]i)", written)
    return None if found is None else int(found[1]) * _FACTORS[found[2]]


def too_small(claim: Mapping[str, Any], known: Mapping[str, Any], namespace: str) -> str | None:
    """What to do about a claim that asks for less than the settings say; None where it does not.

    Args:
        claim: The claim in the cluster.
        known: Its demand. `size`: in bytes, where the settings name one; `service`: whose it is.
        namespace: Where it is.
    """
    wanted, name = known.get("size"), claim["metadata"]["name"]
    asked = str(((claim.get("spec") or {}).get("resources") or {}).get("requests", {}).get("storage", ""))
    if wanted is None or (held := _bytes(asked)) is None or held >= wanted:
        return None
    patch = json.dumps({"spec": {"resources": {"requests": {"storage": quantity(int(wanted))}}}})
    return (
        f"claim {name} asks for {asked}, and supastack:kubernetes.volumeSizes.{known['service']} is {quantity(int(wanted))}: a size there "
        f"counts as a claim is made, and one that is there is enlarged at itself, where its StorageClass allows it. Nothing was touched. "
        f"Run `kubectl -n {namespace} patch pvc {name} --patch '{patch}'` and try again, or set it back."
    )
