"""The login of a registry is in each namespace with pods, before the first of them. tests/integration/cluster holds that it is read."""

from components.targets.kubernetes.once import once
from tests.unit.components.targets.kubernetes.made import STACK, service, settings

LOGIN = {"name": "registry", "namespace": "platform"}
CONTENT = "eyJhdXRocyI6IHt9fQ=="


def made(*services, **given):
    found = once(STACK, services, settings(**given), unrestricted={}, login=CONTENT)
    return [m for m in found if m.kind == "Secret"]


def test_there_is_one_in_every_namespace_after_it():
    own, logs = made(service("web"), service("vector", collects_logs=True), imagePullSecret=LOGIN)
    assert own.after == ("namespace",)
    assert logs.after == ("namespace-logs",)
    assert own.body["metadata"]["namespace"] == STACK.namespace
    assert logs.body["metadata"]["namespace"] == STACK.logs_namespace
    for manifest in (own, logs):
        assert manifest.body["metadata"]["name"] == "image-pull"
        assert manifest.body["type"] == "kubernetes.io/dockerconfigjson"
        assert manifest.body["data"] == {".dockerconfigjson": CONTENT}


def test_without_the_setting_there_is_none():
    assert made(service("web")) == []
