"""The provider's own settings (provider.go, CheckConfig, DiffConfig and Configure; the names from the Python package's Provider)."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from toolchain.plugins.common.values import UNKNOWN

from .kubeconfig import active_cluster

_TEXTS = ("kubeconfig", "context", "cluster", "namespace", "clusterIdentifier")

_SWITCHES = {
    "deleteUnreachable": "PULUMI_K8S_DELETE_UNREACHABLE",
    "enableConfigMapMutable": "PULUMI_K8S_ENABLE_CONFIGMAP_MUTABLE",
    "enablePatchForce": "PULUMI_K8S_ENABLE_PATCH_FORCE",
    "enableSecretMutable": "PULUMI_K8S_ENABLE_SECRET_MUTABLE",
    "enableServerSideApply": "PULUMI_K8S_ENABLE_SERVER_SIDE_APPLY",
    "skipUpdateUnreachable": "PULUMI_K8S_SKIP_UPDATE_UNREACHABLE",
    "suppressDeprecationWarnings": "PULUMI_K8S_SUPPRESS_DEPRECATION_WARNINGS",
    "suppressHelmHookWarnings": "PULUMI_K8S_SUPPRESS_HELM_HOOK_WARNINGS",
    "upsertExistingObjects": "PULUMI_K8S_UPSERT_EXISTING_OBJECTS",
}
"""Switches, and the environment variable that stands in where the program says nothing."""

_OFFICIAL_ONLY = ("alwaysRender", "helmReleaseSettings", "renderYamlToDirectory", "skipUpdateUnreachable", "strictMode")
_IGNORED = ("kubeClientSettings", "version", "pluginDownloadURL", "__internal")
"""The engine's own, and the tuning of a client that this plugin does not have."""


@dataclass(frozen=True)
class Settings:
    """The settings that an operation needs.

    Attributes:
        kubeconfig: a path or the content; None where the program does not give one, UNKNOWN in a preview that can't know it.
    """

    kubeconfig: str | None = None
    context: str = ""
    cluster: str = ""
    namespace: str = ""
    delete_unreachable: bool = False
    mutable_config_maps: bool = False
    mutable_secrets: bool = False
    patch_force: bool = False
    upsert: bool = False

    @staticmethod
    def of(values: Mapping[str, Any]) -> "Settings":
        """The settings from the provider's inputs, as plain values."""
        texts = {name: str(values[name]) for name in _TEXTS if values.get(name)}
        return Settings(
            kubeconfig=texts.get("kubeconfig"),
            context=texts.get("context", ""),
            cluster=texts.get("cluster", ""),
            namespace=texts.get("namespace", ""),
            delete_unreachable=switch(values, "deleteUnreachable"),
            mutable_config_maps=switch(values, "enableConfigMapMutable"),
            mutable_secrets=switch(values, "enableSecretMutable"),
            patch_force=switch(values, "enablePatchForce"),
            upsert=switch(values, "upsertExistingObjects"),
        )


def switch(values: Mapping[str, Any], name: str) -> bool:
    """A switch: the program's word (a boolean, or `true` as text), else its environment variable's, else off."""
    given = values.get(name)
    if given is None:
        return os.environ.get(_SWITCHES[name], "").lower() == "true"
    return given is True or (isinstance(given, str) and given.lower() == "true")


def problems(values: Mapping[str, Any], explanation: str) -> list[str]:
    """Everything that is wrong with the provider's inputs, each as a sentence without a value. `explanation` says what a stand-in is."""
    found = []
    for name, value in values.items():
        if name in _OFFICIAL_ONLY and value not in (None, "", False, "false"):
            found.append(f"{name} is a setting of the official kubernetes plugin that this stand-in does not have. {explanation}")
        elif name not in _TEXTS and name not in _SWITCHES and name not in _IGNORED and name not in _OFFICIAL_ONLY:
            found.append(f"{name} is not a setting of the kubernetes plugin")
        elif name in _TEXTS and value is not None and not isinstance(value, str):
            found.append(f"{name} must be a text")
        elif name in _SWITCHES and value != UNKNOWN and str(value).lower() not in ("true", "false", ""):
            found.append(f"{name} must be true or false")
    apply = values.get("enableServerSideApply")
    if apply is not None and apply != UNKNOWN and str(apply).lower() == "false":
        found.append(f"enableServerSideApply can't be false: this stand-in has no client-side apply. {explanation}")
    return found


def changed(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """The settings that differ, and those of them for which everything on the cluster is replaced.

    With a clusterIdentifier, only its change replaces; without one, a change of the cluster that the kubeconfig points to.
    """
    differing = sorted(key for key in {*old, *new} if old.get(key) != new.get(key))
    identifier = new.get("clusterIdentifier")
    if identifier and old.get("clusterIdentifier") == identifier:
        return differing, []
    both = bool(identifier and old.get("clusterIdentifier"))
    replaces = ["clusterIdentifier"] if both and "clusterIdentifier" in differing else []
    places = [key for key in differing if key in ("kubeconfig", "context", "cluster")]
    unknown = [key for key in places if new.get(key) == UNKNOWN]
    if unknown:
        return unknown[:1], [*replaces, unknown[0]]
    before, after = active_cluster(old), active_cluster(new)
    if before is not None and after is not None and json.dumps(before, sort_keys=True) != json.dumps(after, sort_keys=True):
        replaces += places
    return differing, replaces
