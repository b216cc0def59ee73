"""Part of the Kubernetes probe: Secrets whose values the settings take are there, and hold what the settings can take."""

import base64
import binascii
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from components.existing_secrets import SETTING, value
from components.setting_values import Refused as Unfit
from components.targets.kubernetes import pull_secret
from components.targets.kubernetes.api import Cluster, Refused

_LOGIN: Final = "supastack:kubernetes.imagePullSecret"


def existing_problems(references: Iterable[Mapping[str, str]], own: str, cluster: Cluster) -> list[str]:
    """What is wrong with them, one text each; none shows a value, or a part of one.

    Args:
        references: `setting`, `namespace`, `name` and `key` of each.
        own: The stack's namespace.
        cluster: Where they are.

    Raises:
        Unreachable: the cluster does not answer.
    """
    by_place: dict[tuple[str, str], list[Mapping[str, str]]] = {}
    for at in references:
        by_place.setdefault((at["namespace"], at["name"]), []).append(at)
    return [
        problem for (namespace, name), wanted in by_place.items() for problem in _problems(namespace, name, wanted, own, cluster)
    ]


def _problems(namespace: str, name: str, wanted: list[Mapping[str, str]], own: str, cluster: Cluster) -> Iterator[str]:
    """What is wrong with one Secret."""
    where = ", ".join(map(_setting, wanted))
    try:
        found = cluster.find(f"/api/v1/namespaces/{namespace}/secrets/{name}")
    except Refused as error:
        yield (
            f"Secret {name} in namespace {namespace} can't be read ({where}): {error}. Ask the cluster's administrator for a Role that "
            f"lets this user `get` it."
        )
        return
    if found is None:
        files = " ".join(f"--from-file={key}=FILE" for key in sorted({at["key"] for at in wanted}))
        early = (
            f" The stack makes namespace {own} at its first up: until then keep it in another, and name that."
            if namespace == own
            else ""
        )
        yield (
            f"there is no Secret {name} in namespace {namespace} ({where}). Make it: `kubectl -n {namespace} create secret generic {name} "
            f"{files}`, each from a file with the value alone and no line break at its end.{early}"
        )
        return
    for at in wanted:
        try:
            value(at["setting"], at["key"], found.get("data"))
        except Unfit as error:
            yield (
                f"Secret {name} in namespace {namespace} can't give {at['setting']} ({_setting(at)}): {error.reason}. To mend it: "
                f"{error.fix}."
            )


def _setting(at: Mapping[str, str]) -> str:
    return f"supastack:{SETTING}.{at['setting']}"


def login_problems(at: Mapping[str, str] | None, cluster: Cluster) -> Iterator[str]:
    """What is wrong with the Secret that images are pulled with; no text shows a part of it.

    Args:
        at: `namespace` and `name`; None: the settings name none.
        cluster: Where it is.

    Raises:
        Unreachable: the cluster does not answer.
    """
    if at is None:
        return
    namespace, name = at["namespace"], at["name"]
    try:
        found = cluster.find(f"/api/v1/namespaces/{namespace}/secrets/{name}")
    except Refused as error:
        yield (
            f"Secret {name} in namespace {namespace} can't be read ({_LOGIN}): {error}. Ask the cluster's administrator for a Role that "
            f"lets this user `get` it."
        )
        return
    make = (
        f"`kubectl -n {namespace} create secret docker-registry {name} --docker-server=SERVER --docker-username=USER "
        f"--docker-password=PASSWORD`"
    )
    if found is None:
        yield (
            f"there is no Secret {name} in namespace {namespace} ({_LOGIN}), so no image of a private registry can be pulled. Make it: "
            f"{make}."
        )
    elif not _is_login((found.get("data") or {}).get(pull_secret.KEY, "")):
        yield (
            f"Secret {name} in namespace {namespace} is no login of a registry ({_LOGIN}): it has no {pull_secret.KEY} with `auths` in it. "
            f"Make it anew: {make}."
        )


def _is_login(encoded: str) -> bool:
    try:
        return bool(json.loads(base64.b64decode(encoded, validate=True))["auths"])
    except (binascii.Error, ValueError, TypeError, KeyError):
        return False
