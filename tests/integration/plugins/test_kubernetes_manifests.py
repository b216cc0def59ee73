"""What the kubernetes stand-in makes of this project's own manifests: a real API server takes every one, and then nothing differs.

The stacks are those of the manifests' contract tests. Each manifest goes through check, is created in a dry run, and is compared with
what the API server would have made of it, defaults, webhooks and canonical forms included: what a second `up` would see.
"""

import json
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest

from tests.contract.kubernetes import stacks
from tests.contract.kubernetes.test_manifests import replicated
from toolchain.plugins.kubernetes import checkpoint, kinds, planning
from toolchain.plugins.kubernetes.connection import Connection
from toolchain.plugins.kubernetes.normalize import normalize
from toolchain.plugins.kubernetes.objects import Object, kind_id, text_at
from toolchain.plugins.kubernetes.settings import Settings

from .harness import PLUGINS
from .kubernetes_world import World

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(PLUGINS != "stand-in", reason="the stand-in is asked without an engine"),
]


def bodies() -> Iterator[dict[str, Any]]:
    """Every manifest of every release, database engine and exposure, each once."""
    every = [
        stacks.rendered(release, "medium", *rest)
        for release, *rest in product(stacks.RELEASES, stacks.EXPOSURES, ("registry",), stacks.ENGINES)
    ]
    seen = set()
    for made in [*every, replicated()]:
        for body in made.bodies:
            text = json.dumps(body, sort_keys=True)
            if text not in seen:
                seen.add(text)
                yield json.loads(text)


def token(body: dict[str, Any]) -> str:
    version = body["apiVersion"]
    return f"kubernetes:{version if '/' in version else f'core/{version}'}:{body['kind']}"


def test_no_manifest_of_ours_differs_from_what_the_api_server_makes_of_it(world: World) -> None:
    world.make_namespace()
    connection = Connection(Settings(str(world.kubeconfig), world.context, mutable_config_maps=True, mutable_secrets=True))
    found: dict[str, Any] = {}
    looked_at = set()
    for body in bodies():
        name = f"{kind_id(body)} {text_at(body, 'metadata', 'name')}"
        assert kinds.problem_of_token(token(body)) is None, name
        if not world.cluster.has_kind(body):
            # Its definition is not in every cluster: what remains is held below.
            continue
        if "namespace" in body["metadata"]:
            body["metadata"]["namespace"] = world.namespace
        item: Object = normalize(body)
        live = world.cluster.create(item, "pulumi-kubernetes-test", dry_run=True)
        state = checkpoint.state_of(item, live, body["apiVersion"], "pulumi-kubernetes-test")
        changes = planning.plan(state, body, [], connection).changes
        looked_at.add(body["kind"])
        if changes:
            found[name] = changes
    assert found == {}
    assert {"Namespace", "Deployment", "StatefulSet", "Job", "HTTPRoute", "Ingress", "HorizontalPodAutoscaler"} <= looked_at
