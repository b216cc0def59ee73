"""From a branch to the comment, the deployment, the smoke check and drift, by the commands of the workflows."""

import contextlib
import copy
from collections.abc import Iterator
from typing import Any

import docker
import pytest

from tests.integration.daemon import Daemon
from tests.integration.delivery.runner import Ran, Remote
from tests.recording_github import serving

CONTAINER = "supastack-prod-cache-valkey"
PROD: dict[str, Any] = {
    "config": {
        # In the shipped file it is Kubernetes: here a stack that is there in seconds, on the tests' own daemon.
        "supastack:target": "docker",
        "supastack:imageSource": "local",
        "supastack:ports": "auto",
        "supastack:supabase": {"enabled": False},
        "supastack:objectStorage": {"enabled": False},
        "supastack:cache": {"memory": "64mb", "maxMemory": "32mb"},
        "supastack:envFiles": {},
    }
}


def prod(**cache: str) -> dict[str, Any]:
    document = copy.deepcopy(PROD)
    document["config"]["supastack:cache"].update(cache)
    return document


@pytest.fixture(scope="module")
def remote(daemon: Daemon, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Remote]:
    # Its address is one of the daemon's namespace, as are the runners'.
    with contextlib.ExitStack() as stack:
        with daemon.network():
            github = stack.enter_context(serving())
        remote = Remote(tmp_path_factory.mktemp("pipeline"), daemon, github, {"Pulumi.prod.yaml": PROD})
        yield remote
        # The daemon is the other modules' too, and these count what runs on it.
        client = daemon.client()
        mine = {"label": "supastack.stack=prod"}
        for found in client.containers.list(all=True, filters=mine):
            found.remove(force=True, v=True)
        for network in client.networks.list(filters=mine):
            network.remove()
        for volume in client.volumes.list(filters=mine):
            volume.remove()


def deploy(remote: Remote, stack: str = "prod") -> Ran:
    return remote.run("main", "deploy", "main", {"needs": {"which": {"outputs": {"stack": stack}}}})


def preview(remote: Remote, branch: str, commit: str, stack: str = "prod") -> Ran:
    request = {"number": 12, "head": {"sha": commit}}
    needs = {"which": {"outputs": {"stack": stack}}}
    return remote.run("pull-request", "preview", branch, {"github": {"event": {"pull_request": request}}, "needs": needs})


def drift(remote: Remote) -> Ran:
    return remote.run("drift", "drift", "main", {"matrix": {"stack": "prod"}})


def container(daemon: Daemon) -> Any:
    return docker.DockerClient(base_url=daemon.host).containers.get(CONTAINER)


def test_from_a_branch_to_its_comment_to_the_deployment_to_drift(remote: Remote, daemon: Daemon) -> None:
    github = remote.github
    which = remote.run("main", "which", "main", {"github": {"ref_name": "main"}})
    assert which.outputs == {"stack": "prod"}, which.text
    first = deploy(remote, which.outputs["stack"])
    assert not first.failed, first.text
    assert first.names == ["What a deployment needs is there", "Preview, with policies", "Deploy", "Smoke check"]
    assert "supastack preview: prod" in first.summary
    assert container(daemon).attrs["HostConfig"]["Memory"] == 64 * 2**20
    # The state is where the runner is not, and nothing of the runner's was needed but the environment's secrets.
    assert (remote.state / ".pulumi/stacks/supastack/prod.json").is_file()

    # A branch with a change: the request gets one comment, and nothing is deployed.
    commit = remote.push("feature/memory", "Pulumi.prod.yaml", prod(memory="96mb"))
    ran = preview(remote, "feature/memory", commit)
    assert not ran.failed, ran.text
    (comment,) = github.comments[12]
    assert comment["body"].startswith("<!-- supastack preview: prod -->\n")
    assert "valkey" in comment["body"]
    assert commit[:7] in comment["body"]
    assert container(daemon).attrs["HostConfig"]["Memory"] == 64 * 2**20

    # A further commit: the same comment says what counts now.
    before = dict(comment)
    commit = remote.push("feature/memory", "Pulumi.prod.yaml", prod(memory="80mb"))
    ran = preview(remote, "feature/memory", commit)
    assert not ran.failed, ran.text
    (comment,) = github.comments[12]
    assert comment["id"] == before["id"]
    assert comment["body"] != before["body"]
    assert commit[:7] in comment["body"]

    # A commit that is wrong: the comment says so, and the job has failed.
    commit = remote.push("feature/memory", "Pulumi.prod.yaml", prod(memory="a lot"))
    ran = preview(remote, "feature/memory", commit)
    assert [code != 0 for _, code, _ in ran.steps] == [False, True, False], ran.text
    (comment,) = github.comments[12]
    assert "supastack:cache.memory" in comment["body"]
    # Put right and merged: deployed.
    remote.push("feature/memory", "Pulumi.prod.yaml", prod(memory="80mb"))
    remote.merge("feature/memory", "main")
    ran = deploy(remote)
    assert not ran.failed, ran.text
    assert container(daemon).attrs["HostConfig"]["Memory"] == 80 * 2**20

    # Somebody stops the container by hand: an issue, closed when it is as deployed again.
    container(daemon).stop()
    ran = drift(remote)
    assert not ran.failed, ran.text
    (issue,) = github.issues
    assert issue["state"] == "open"
    assert "valkey" in issue["body"]
    container(daemon).start()
    ran = drift(remote)
    assert not ran.failed, ran.text
    assert [issue["state"] for issue in github.issues] == ["closed"]

    # No secret of the stack went to GitHub, nor the passphrase.
    said = "\n".join([*(c["body"] for c in github.comments[12]), *(i["body"] for i in github.issues)])
    assert remote.secrets["PULUMI_CONFIG_PASSPHRASE"] not in said
    password = next(e for e in container(daemon).attrs["Config"]["Env"] if "PASSWORD" in e or "AUTH" in e).split("=", 1)[1]
    assert password
    assert password not in said
    assert github.tokens == {"Bearer ghs_token-of-the-test"}


def test_a_runner_without_backend_or_passphrase_deploys_nothing(remote: Remote) -> None:
    kept, remote.variables = remote.variables, {}
    secrets, remote.secrets = remote.secrets, {}
    try:
        ran = deploy(remote)
    finally:
        remote.variables, remote.secrets = kept, secrets
    assert ran.names == ["What a deployment needs is there"]
    assert ran.failed
    assert "be lost with it" in ran.text
    assert "PULUMI_CONFIG_PASSPHRASE is empty" in ran.text


def test_what_a_fork_gets_needs_no_secret(remote: Remote) -> None:
    kept, remote.secrets = remote.secrets, {}
    try:
        # Its tests are this very run's.
        ran = remote.run("pull-request", "checks", "main", {}, only="check-stacks")
    finally:
        remote.secrets = kept
    assert not ran.failed, ran.text
    assert "prod: right" in ran.text
