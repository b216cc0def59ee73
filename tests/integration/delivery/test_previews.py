"""Two pull requests with a stack each, side by side on one daemon, by the commands of the workflows; each goes with its request."""

import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import docker
import pytest

from components.supabase_settings.override import SERVICES
from tests.integration.daemon import Daemon
from tests.integration.delivery.runner import Ran, Remote
from tests.recording_github import serving

KEPT = {"postgres", "gateway", "rest"}
PREVIEW: dict[str, Any] = {
    "config": {
        "supastack:target": "docker",
        "supastack:imageSource": "local",
        "supastack:ports": "auto",
        # The API and its database: enough to be asked.
        "supastack:supabase": {
            "database": {"memory": "384mb", "sharedBuffers": "96mb"},
            **{service: {"enabled": False} for service in SERVICES if service not in KEPT},
        },
        "supastack:cache": {"enabled": False},
        "supastack:objectStorage": {"enabled": False},
    }
}


@pytest.fixture(scope="module")
def remote(daemon: Daemon, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Remote]:
    stack = serving()
    with daemon.network():
        github = stack.__enter__()
    try:
        yield Remote(tmp_path_factory.mktemp("previews"), daemon, github, {"Pulumi.preview.yaml": PREVIEW})
    finally:
        stack.__exit__(None, None, None)


def request(remote: Remote, job: str, number: int) -> Ran:
    event = {"github": {"event": {"pull_request": {"number": number}}}}
    ran = remote.run("pull-request", job, "main", event)
    assert not ran.failed, ran.text
    return ran


def url(remote: Remote, number: int) -> str:
    (comment,) = remote.github.comments[number]
    assert comment["body"].startswith(f"<!-- supastack preview: pr-{number} -->\n")
    match = re.search(r"\| API_URL \| (http://\S+) \|", comment["body"])
    assert match
    return match[1]


def objects(daemon: Daemon, number: int) -> list[str]:
    """Containers, networks and volumes of a preview."""
    client = docker.DockerClient(base_url=daemon.host)
    found = [*client.containers.list(all=True), *client.networks.list(), *client.volumes.list()]
    return [o.name for o in found if re.search(rf"-pr-{number}(-|$)", o.name)]


def environment(daemon: Daemon, number: int) -> dict[str, str]:
    client = docker.DockerClient(base_url=daemon.host)
    env = client.containers.get(f"supastack-pr-{number}-supabase-rest").attrs["Config"]["Env"]
    return dict(item.split("=", 1) for item in env)


def answers(daemon: Daemon, address: str) -> bool:
    """Whether an API is there: without a key it refuses, which only it does."""
    with daemon.network():
        try:
            urllib.request.urlopen(f"{address}/rest/v1/", timeout=10)
        except urllib.error.HTTPError as error:
            return error.code == 401
        except OSError:
            return False
    return True


def test_two_previews_stand_side_by_side_and_each_goes_with_its_request(remote: Remote, daemon: Daemon) -> None:
    for number in (12, 13):
        request(remote, "preview-stack", number)
    first, second = url(remote, 12), url(remote, 13)
    assert first != second
    assert answers(daemon, first)
    assert answers(daemon, second)
    secrets = [environment(daemon, number) for number in (12, 13)]
    assert secrets[0]["PGRST_DB_URI"] != secrets[1]["PGRST_DB_URI"]
    said = str(remote.github.comments)
    assert not any(env["PGRST_JWT_SECRET"] in said for env in secrets)
    assert remote.secrets["PULUMI_CONFIG_PASSPHRASE"] not in said

    # A runner that has seen neither lists both, and takes one away as its request is closed.
    remote.github.pulls = {12: "closed", 13: "open"}
    request(remote, "preview-stack-gone", 12)
    assert objects(daemon, 12) == []
    (comment,) = remote.github.comments[12]
    assert "is gone" in comment["body"]
    # Its checks end after it was closed: it does not come again, and nothing says that it is up.
    request(remote, "preview-stack", 12)
    assert objects(daemon, 12) == []
    assert "is gone" in comment["body"]
    assert not (remote.state / ".pulumi/stacks/supastack/pr-12.json").exists()
    assert not answers(daemon, first)
    assert answers(daemon, second)

    # The nightly cleanup leaves what is in use, and finds what nobody has removed.
    ran = remote.run("previews-cleanup", "cleanup", "main", {})
    assert not ran.failed, ran.text
    assert re.search(r"pr-13 .* open", ran.text)
    assert "pr-12" not in ran.text
    assert answers(daemon, second)
    remote.github.pulls[13] = "closed"
    ran = remote.run("previews-cleanup", "cleanup", "main", {})
    assert not ran.failed, ran.text
    assert objects(daemon, 13) == []
    assert not list((remote.state / ".pulumi/stacks/supastack").glob("pr-*.json"))
