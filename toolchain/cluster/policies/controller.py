"""Keeps the node's nftables rules as the policies want them."""

import json
import subprocess
import threading
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from toolchain.cluster.api import Api
from toolchain.cluster.informer import Informer
from toolchain.cluster.policies import model, rules

_SETTLE_SECONDS = 0.05
"""Changes come in groups: those within this time are taken together."""


class Policies:
    """Watches pods, namespaces and policies, and writes the rules at each change."""

    def __init__(self, api: Api, applied: Path) -> None:
        """`applied` is the file that says which policies and pods the rules are of."""
        self._changed = threading.Event()
        self._applied = applied
        self._pods = Informer(api, "/api/v1/pods", self._changed)
        self._namespaces = Informer(api, "/api/v1/namespaces", self._changed)
        self._policies = Informer(api, "/apis/networking.k8s.io/v1/networkpolicies", self._changed)
        self._last: str | None = None

    def run(self) -> None:
        """Forever."""
        for informer in (self._pods, self._namespaces, self._policies):
            informer.synced.wait()
        while True:
            self._changed.wait()
            time.sleep(_SETTLE_SECONDS)
            self._changed.clear()
            self._apply()

    def _apply(self) -> None:
        policies = self._policies.objects()
        pods = model.pods_of(self._pods.objects())
        text = rules.table(model.verdicts(pods, self._namespaces.objects(), policies))
        if text != self._last:
            done = subprocess.run(["nft", "-f", "-"], input=text, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                print(f"nft: {done.stderr.strip()}", flush=True)
                return
            self._last = text
        temporary = self._applied.with_suffix(".part")
        temporary.write_text(json.dumps({"policies": names(policies), "pods": sorted(f"{p.namespace}/{p.name}" for p in pods)}))
        temporary.replace(self._applied)


def names(policies: Iterable[Mapping[str, Any]]) -> list[str]:
    """Each policy with the generation of its spec: what the rules are of."""
    return sorted(f"{one['metadata']['namespace']}/{one['metadata']['name']}@{one['metadata']['generation']}" for one in policies)
