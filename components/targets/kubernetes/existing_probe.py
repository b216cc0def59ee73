"""Part of the Kubernetes probe: Secrets whose values the settings take are there, and hold what the settings can take."""

from collections.abc import Iterable, Iterator, Mapping

from components.existing_secrets import SETTING, value
from components.setting_values import Refused as Unfit
from components.targets.kubernetes.api import Cluster, Refused


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
