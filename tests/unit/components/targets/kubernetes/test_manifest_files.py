"""Manifests as files for GitOps: what is in them, whose they are, and that no secret is."""

import pulumi
import pytest
import yaml

from components.service import Secret, text
from components.targets.kubernetes import placing
from components.targets.kubernetes.manifest_files import ManifestFilesError, ManifestFilesProvider, plain, texts, wanted
from tests.conftest import holders_of, unwrapped
from tests.unit.components.targets.kubernetes.making import data, kubernetes, render, service

PROVIDER = ManifestFilesProvider()


@pytest.fixture
def props(tmp_path, monkeypatch):
    """What the provider is given, its folder below a project's."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.tracebacklimit", 1000, raising=False)
    body = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "it"}, "spec": {"ports": [{"port": 80.0}]}}
    return {"folder": "out", "bodies": {"one-it.yaml": body}, "secrets": {"one.secrets.txt": ["it-env: URL"]}, "drift": []}


def test_a_file_is_the_manifest_with_whole_numbers(props):
    found = texts(props)["one-it.yaml"]
    assert yaml.safe_load(found) == props["bodies"]["one-it.yaml"]
    assert "port: 80\n" in found
    # The engine keeps no order.
    turned = dict(reversed(props["bodies"]["one-it.yaml"].items()))
    assert texts({**props, "bodies": {"one-it.yaml": turned}})["one-it.yaml"] == found


def test_files_are_made_and_brought_up_to_date_and_taken_away(props, tmp_path):
    PROVIDER.create(props)
    out = tmp_path / "out"
    assert sorted(p.name for p in out.iterdir()) == ["one-it.yaml", "one.secrets.txt"]
    news = {**props, "bodies": {"one-other.yaml": {"kind": "Service"}}, "secrets": {}}
    PROVIDER.update("id", props, news)
    assert sorted(p.name for p in out.iterdir()) == ["one-other.yaml"]
    PROVIDER.delete("id", news)
    assert not out.exists()


def test_another_folder_leaves_none_in_the_old_one(props, tmp_path):
    PROVIDER.create(props)
    PROVIDER.update("id", props, {**props, "folder": "elsewhere"})
    assert not (tmp_path / "out").exists()
    assert (tmp_path / "elsewhere" / "one-it.yaml").exists()


def test_a_file_of_somebody_else_is_neither_written_over_nor_taken_away(props, tmp_path):
    own = tmp_path / "out" / "one-it.yaml"
    own.parent.mkdir()
    own.write_text("mine")
    (failure,) = PROVIDER.check({}, props).failures
    assert "one-it.yaml" in failure.reason
    with pytest.raises(ManifestFilesError):
        PROVIDER.create(props)
    PROVIDER.delete("id", props)
    assert own.read_text() == "mine"


def test_what_was_changed_by_hand_is_put_right(props, tmp_path):
    PROVIDER.create(props)
    assert PROVIDER.read("id", props).outs["drift"] == []
    (tmp_path / "out" / "one-it.yaml").write_text("changed")
    (tmp_path / "out" / "one.secrets.txt").unlink()
    seen = PROVIDER.read("id", props)
    assert seen.outs["drift"] == ["one-it.yaml", "one.secrets.txt"]
    assert PROVIDER.diff("id", seen.outs, props).changes
    assert not PROVIDER.diff("id", props, props).changes


def test_the_list_of_secrets_has_their_names_and_keys_and_no_value():
    env = {"A": text(Secret("jwt-secret")), "B": text("x", Secret("jwt-secret"))}
    assert wanted(render(service(env=env)).values()) == ["it-env: B", "supabase-jwt: jwt-secret"]


def test_a_claim_says_nothing_of_its_password():
    body = plain(render(service(volumes=(data(),)), paired={"data": "the mark"})["supabase-it"])
    assert "the mark" not in str(body)
    assert body["spec"]["volumeClaimTemplates"][0]["metadata"]["annotations"]["supastack.io/identity"] == ""


@pytest.mark.parametrize("folder", [None, "out"])
def test_they_are_written_where_the_settings_name_a_folder(engine, folder):
    class Component(pulumi.ComponentResource):
        """Something that places one service."""

        def __init__(self) -> None:
            super().__init__("supastack:index:One", "one", {})
            env = {"A": text(Secret("jwt-secret")), "B": text("x", Secret("jwt-secret"))}
            volume = data(paired_secret="jwt-secret")
            where = kubernetes(**({} if folder is None else {"render": folder}))
            secrets = {"jwt-secret": pulumi.Output.secret("correct horse")}
            placing.place(self, "one", where, [service(env=env, volumes=(volume,))], secrets)
            self.register_outputs({})

    found = engine(Component)
    if folder is None:
        assert "one-manifests" not in found.requests
        return
    inputs = found.inputs("one-manifests")
    # Nothing of it is a secret, so the whole can be read, in a preview and in the folder.
    assert unwrapped({k: v for k, v in inputs.items() if k != "__provider"}) == {
        k: v for k, v in inputs.items() if k != "__provider"
    }
    assert holders_of("correct horse", inputs) == set()
    assert sorted(inputs["bodies"]) == ["one-it-account.yaml", "one-it-service.yaml", "one-it.yaml"]
    assert inputs["secrets"] == {"one-manifests.secrets.txt": ["it-env: B", "one-credentials: jwt-secret"]}
