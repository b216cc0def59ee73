"""The stack of a pull request in a namespace of its own: its URL, what an account that may only read can ask, and that all of it goes."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.integration import sample_app
from tests.integration.clone import Clone
from tests.integration.cluster.house import until
from tests.integration.daemon import Daemon
from toolchain.images import recipes

pytestmark = pytest.mark.docker
STACK, NAMESPACE, CLASS = "pr-7", "supastack-pr-7", "previews-test"
READS: list[dict[str, Any]] = [
    {"kind": "ServiceAccount", "apiVersion": "v1", "metadata": {"name": "reader", "namespace": NAMESPACE}},
    {
        "kind": "Role",
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "metadata": {"name": "reader", "namespace": NAMESPACE},
        # As docs/delivery.md has it for `<stack>-preview`.
        "rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list"]}],
    },
    {
        "kind": "RoleBinding",
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "metadata": {"name": "reader", "namespace": NAMESPACE},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"},
        "subjects": [{"kind": "ServiceAccount", "name": "reader", "namespace": NAMESPACE}],
    },
]


class Previews:
    """A clone whose previews are in the tests' cluster: the cache, and an app with a public name."""

    def __init__(self, clone: Clone, cluster: Any) -> None:
        self.clone = clone
        self.cluster = cluster
        self.kubeconfig = clone.home / "kubeconfig"
        self.comment = clone.home / "comment.md"
        self.kubeconfig.write_bytes(cluster.kubeconfig.read_bytes())

    def base(self, target: str = "kubernetes", memory: str = "64mb") -> None:
        """Writes the file that previews are laid over."""
        app = {
            "image": sample_app.FIRST,
            "port": 3000,
            "healthPath": "/health",
            "publish": "app",
            "host": "${STACK}.app.example.com",
            "resources": {"memoryRequest": "32mb", "memoryLimit": "64mb", "cpuRequest": "10m", "cpuLimit": "500m"},
        }
        in_cluster = {
            "supastack:kubernetes": {
                "kubeconfig": str(self.kubeconfig),
                "context": self.cluster.context,
                "exposure": {"kind": "ingress", "className": CLASS, "host": "preview.example.com"},
            },
            "supastack:apps": {"web": app},
        }
        config = {
            "supastack:target": target,
            "supastack:imageSource": "local",
            "supastack:ports": "auto",
            "supastack:supabase": {"enabled": False},
            "supastack:objectStorage": {"enabled": False},
            "supastack:cache": {"memory": memory, "maxMemory": "32mb"},
            **(in_cluster if target == "kubernetes" else {}),
        }
        (self.clone.root / "Pulumi.preview.yaml").write_text(yaml.safe_dump({"config": config}))

    def make(self, target: str, **variables: str) -> str:
        """`make TARGET`; returns what it says. The cluster is reached from this machine's own network."""
        return self.clone.make(target, inside=False, **variables).stdout

    def only_read(self) -> None:
        """From now on the kubeconfig is that of an account which may look at the preview, and at nothing else."""
        self.cluster.kubectl("apply", "--filename=-", given=json.dumps({"kind": "List", "apiVersion": "v1", "items": READS}))
        token = self.cluster.kubectl("--namespace", NAMESPACE, "create", "token", "reader").strip()
        config = yaml.safe_load(self.kubeconfig.read_text())
        user = next(c["context"]["user"] for c in config["contexts"] if c["name"] == self.cluster.context)
        config["users"] = [{"name": user, "user": {"token": token}}]
        self.kubeconfig.write_text(yaml.safe_dump(config))


@pytest.fixture
def previews(cluster: Any, daemon: Daemon, tmp_path: Path) -> Iterator[Previews]:
    sample_app.tag(daemon.client())
    # The kubeconfig is not the cluster's own, by which `up` would bring its images.
    cluster.import_images(
        [sample_app.FIRST, *(r.reference for r in map(recipes.load, recipes.names()) if "/valkey:" in r.reference)]
    )
    clone = Clone(tmp_path, daemon)
    clone.create()
    made = Previews(clone, cluster)
    ingress_class = {"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "metadata": {"name": CLASS}}
    body = {**ingress_class, "spec": {"controller": "example.com/nobody"}}
    cluster.kubectl("apply", "--filename=-", given=json.dumps(body))
    try:
        yield made
    finally:
        cluster.kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found")
        cluster.kubectl("delete", "ingressclass", CLASS)


def test_a_requests_stack_has_a_namespace_and_a_url_of_its_own_is_read_by_a_reader_and_goes(previews: Previews) -> None:
    cluster = previews.cluster
    before = set(cluster.kubectl("get", "namespaces", "--output=name").split())
    previews.base()
    previews.make("pr-up", PR="7", COMMENT_FILE=str(previews.comment))
    assert set(cluster.kubectl("get", "namespaces", "--output=name").split()) - before == {f"namespace/{NAMESPACE}"}
    assert "| APP_URL | http://pr-7.app.example.com |" in previews.comment.read_text()
    (ingress,) = json.loads(cluster.kubectl("--namespace", NAMESPACE, "get", "ingresses", "--output=json"))["items"]
    assert [rule["host"] for rule in ingress["spec"]["rules"]] == ["pr-7.app.example.com"]
    secrets = json.loads(cluster.kubectl("--namespace", NAMESPACE, "get", "secrets", "--output=json"))["items"]
    values = [base64.b64decode(value).decode() for item in secrets for value in (item.get("data") or {}).values()]
    said = previews.comment.read_text()
    assert [value for value in values if len(value) >= 16]
    assert not [value for value in values if len(value) >= 16 and value in said]
    assert f"\n{STACK} " in previews.make("pr-list")

    # What the job of `<stack>-preview` has: the same stack with a change, seen by who may change nothing.
    previews.only_read()
    previews.base(memory="80mb")
    shown = previews.make("preview", STACK=STACK, FORMAT="markdown")
    assert "valkey" in shown
    assert "may not do" not in shown

    # Merged into a branch whose previews are elsewhere by now: it goes all the same, with its data.
    previews.kubeconfig.write_bytes(cluster.kubeconfig.read_bytes())
    previews.base(target="docker")
    previews.make("pr-down", PR="7", COMMENT_FILE=str(previews.comment))
    assert "is gone, with its data" in previews.comment.read_text()
    # Those of other tests may be on their way out.
    assert set(cluster.kubectl("get", "namespaces", "--output=name").split()) <= before
    until(lambda: NAMESPACE not in cluster.kubectl("get", "pv", "--output=json"), "the end of the volumes")
    assert "no previews" in previews.make("pr-list")
    assert not list((previews.clone.root / ".supastack/state").rglob("pr-7.json"))
