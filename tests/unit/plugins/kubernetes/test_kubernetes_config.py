"""The kubernetes stand-in's settings and kubeconfigs, against the installed Python package and made-up files."""

import base64
import inspect
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from pulumi_kubernetes.provider import ProviderArgs

from toolchain.plugins.common.errors import UserError
from toolchain.plugins.common.values import UNKNOWN
from toolchain.plugins.kubernetes import kubeconfig, settings
from toolchain.plugins.kubernetes.settings import Settings


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def official_settings() -> set[str]:
    return {camel(name) for name in inspect.signature(ProviderArgs.__init__).parameters if not name.startswith("__")}


def test_every_setting_of_the_official_provider_is_known_or_refused_by_name() -> None:
    values = dict.fromkeys(official_settings(), "true")
    assert not [
        problem for problem in settings.problems(values, "") if problem.endswith("is not a setting of the kubernetes plugin")
    ]
    refused = {problem.partition(" ")[0] for problem in settings.problems(values, "It is a stand-in.")}
    assert refused == {"alwaysRender", "helmReleaseSettings", "renderYamlToDirectory", "skipUpdateUnreachable"}


def test_an_unknown_setting_a_wrong_type_and_client_side_apply_are_refused() -> None:
    assert settings.problems({"kubeConfig": "x"}, "") == ["kubeConfig is not a setting of the kubernetes plugin"]
    assert settings.problems({"context": 1}, "") == ["context must be a text"]
    assert settings.problems({"upsertExistingObjects": "yes"}, "") == ["upsertExistingObjects must be true or false"]
    [problem] = settings.problems({"enableServerSideApply": "false"}, "It is a stand-in.")
    assert problem.endswith("It is a stand-in.")
    assert settings.problems({"enableServerSideApply": "true", "context": UNKNOWN, "kubeconfig": UNKNOWN}, "") == []


def test_switches_come_from_the_program_else_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings.of({"enableSecretMutable": "true", "deleteUnreachable": True}).mutable_secrets
    assert Settings.of({"deleteUnreachable": True}).delete_unreachable
    monkeypatch.setenv("PULUMI_K8S_DELETE_UNREACHABLE", "true")
    assert Settings.of({}).delete_unreachable
    assert not Settings.of({"deleteUnreachable": "false"}).delete_unreachable


def config(server: str = "https://a", user: dict[str, Any] | None = None, context: dict[str, Any] | None = None) -> str:
    return json.dumps(
        {
            "current-context": "one",
            "contexts": [
                {"name": "one", "context": {"cluster": "c", "user": "u", **(context or {})}},
                {"name": "two", "context": {"cluster": "d"}},
            ],
            "clusters": [{"name": "c", "cluster": {"server": server}}, {"name": "d", "cluster": {"server": "https://d"}}],
            "users": [{"name": "u", "user": user or {"token": "t"}}],
        }
    )


def test_a_change_of_the_cluster_replaces_and_one_of_the_login_does_not() -> None:
    old = {"kubeconfig": config()}
    assert settings.changed(old, {"kubeconfig": config(user={"token": "new"})}) == (["kubeconfig"], [])
    assert settings.changed(old, {"kubeconfig": config("https://b")}) == (["kubeconfig"], ["kubeconfig"])
    assert settings.changed(old, {**old, "context": "two"}) == (["context"], ["context"])
    assert settings.changed(old, {**old, "context": "one"}) == (["context"], [])
    assert settings.changed(old, {"kubeconfig": UNKNOWN}) == (["kubeconfig"], ["kubeconfig"])
    assert settings.changed(old, dict(old)) == ([], [])


def test_an_identifier_decides_alone_once_it_is_set() -> None:
    one = {"kubeconfig": config(), "clusterIdentifier": "1"}
    assert settings.changed(one, {**one, "kubeconfig": config("https://b")}) == (["kubeconfig"], [])
    assert settings.changed(one, {**one, "clusterIdentifier": "2"}) == (["clusterIdentifier"], ["clusterIdentifier"])
    bare = {"kubeconfig": config()}
    assert settings.changed(bare, one) == (["clusterIdentifier"], [])
    assert settings.changed(one, bare) == (["clusterIdentifier"], [])


def test_a_kubeconfig_is_a_file_or_its_content(tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text(yaml.safe_dump(json.loads(config(context={"namespace": "n"}))))
    for given in (str(file), file.read_text(), config(context={"namespace": "n"})):
        found = kubeconfig.access(given)
        assert (found.server, found.namespace, found.token) == ("https://a", "n", "t")
    assert kubeconfig.access(str(file), "two").server == "https://d"
    assert kubeconfig.access(str(file), "two").namespace == "default"
    assert kubeconfig.access(str(file), cluster="d").server == "https://d"


def test_certificates_come_from_the_file_or_beside_it(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("the authority")
    given = json.loads(config(user={"client-certificate-data": base64.b64encode(b"cert").decode(), "client-key": "key.pem"}))
    given["clusters"][0]["cluster"]["certificate-authority"] = "ca.pem"
    (tmp_path / "key.pem").write_text("the key")
    (tmp_path / "config").write_text(json.dumps(given))
    found = kubeconfig.access(str(tmp_path / "config"))
    assert (found.authority, found.certificate, found.key) == ("the authority", "cert", "the key")
    assert "the key" not in repr(found)


def test_a_login_command_gives_the_token(tmp_path: Path) -> None:
    program = tmp_path / "login"
    program.write_text('#!/bin/sh\necho "{\\"status\\": {\\"token\\": \\"$WHO-$1\\"}}"\n')
    program.chmod(0o755)
    wanted = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": str(program),
        "args": ["x"],
        "env": [{"name": "WHO", "value": "me"}],
    }
    assert kubeconfig.access(config(user={"exec": wanted})).token == "me-x"
    program.write_text("#!/bin/sh\necho no such user >&2\nexit 3\n")
    with pytest.raises(UserError, match="ended with 3: no such user"):
        kubeconfig.access(config(user={"exec": wanted}))


@pytest.mark.parametrize(
    ("given", "context", "message"),
    [
        ("/no/such/file", "", "there is no kubeconfig file /no/such/file"),
        ("{broken", "", "no valid JSON"),
        ("apiVersion: v1\nkey: [secret-text", "", "no valid YAML"),
        (config(), "three", "no context 'three'; it has one, two"),
        ("apiVersion: v1\nkind: Config\n", "", "no current context"),
        (config(user={"auth-provider": {"name": "gcp"}}), "", "auth-provider"),
        (config(user={"as": "root"}), "", "`as`"),
        (config(context={"cluster": "x"}), "", "no cluster 'x'"),
    ],
)
def test_what_is_wrong_with_a_kubeconfig_is_said_without_its_secrets(given: str, context: str, message: str) -> None:
    with pytest.raises(UserError) as error:
        kubeconfig.access(given, context)
    assert message in str(error.value)
    assert "secret-text" not in str(error.value)
