"""No secret is anywhere it should not be: searched for as bytes."""

import base64
import json
import re
from pathlib import Path

import pytest

from tests.integration.plugins.harness import forms_of

pytestmark = [pytest.mark.docker, pytest.mark.engine]

# Secret settings of the user's own, beside the generated ones.
OWN = {"adminPassword": "OwnAdmin+/=7Zq", "cachePassword": "OwnCachePassword-9"}


def hits(secrets, content):
    return sorted(name for name, secret in secrets.items() if any(form in content for form in forms_of(secret)))


@pytest.fixture(scope="module")
def up(clone):
    """What an up printed; the stack is there meanwhile."""
    script = ". .supastack/activate && "
    for name, value in OWN.items():
        script += f'printf %s "{value}" | pulumi config set --secret supastack:{name} --stack dev && '
    # The stack is made by the first command that needs it.
    clone.make("preview")
    clone.run("bash", "-c", script + "true")
    yield clone.make("up").stdout
    clone.make("purge", CONFIRM="dev")


@pytest.fixture(scope="module")
def secrets(clone, up):
    """Every secret of the state, and the users' forms of them."""
    shown = clone.pulumi("stack", "export", "--show-secrets", "--stack", "dev").stdout
    state = json.loads(shown[shown.index("{") :])
    found = {}
    for resource in state["deployment"]["resources"]:
        if resource["type"] == "random:index/randomPassword:RandomPassword":
            found[resource["urn"].rsplit("::", 1)[-1]] = json.loads(resource["outputs"]["result"]["plaintext"])
    assert {"supabase-database-password", "cache-password", "objects-root-password", "objects-secret-key"} <= set(found)
    return {**found, **OWN}


def test_the_search_finds_what_is_there(clone, secrets):
    file = (clone.root / ".env").read_bytes()
    assert hits(secrets, file) == ["adminPassword", "app-setup-password", "supabase-database-password"]
    secret = secrets["cache-password"]
    for shift in range(3):
        assert hits({"x": secret}, base64.b64encode(b"abc"[:shift] + secret.encode() + b"xyz")) == ["x"]


def test_not_in_the_raw_state_nor_in_anything_else_that_pulumi_keeps(clone, secrets):
    looked = 0
    for file in sorted((clone.root / ".supastack").rglob("*")):
        if file.is_file() and file.name != "passphrase":
            looked += 1
            assert hits(secrets, file.read_bytes()) == [], file
    assert looked > 5


def test_not_in_git_nor_in_a_tracked_stack_file(clone, secrets):
    for file in clone.root.glob("Pulumi*.yaml"):
        assert hits(secrets, file.read_bytes()) == [], file
    assert clone.status() == ""


@pytest.mark.parametrize("options", [[], ["--diff"], ["--json"]], ids=["plain", "diff", "json"])
def test_not_in_a_preview_of_a_change(clone, secrets, options):
    file = clone.root / "Pulumi.dev.yaml"
    before = file.read_text()
    file.write_text(before + "  supastack:admin: {name: Somebody}\n  supastack:cache: {maxMemory: 90mb}\n")
    try:
        shown = clone.pulumi("preview", *options, "--stack", "dev").stdout
    finally:
        file.write_text(before)
    assert "env-nextjs" in shown
    assert hits(secrets, shown.encode()) == []


def test_not_in_what_an_up_or_a_status_prints(clone, secrets, up):
    assert "DB_URL" in up
    assert hits(secrets, up.encode()) == []
    assert hits(secrets, clone.make("status").stdout.encode()) == []
    assert "supabase-database-password" in hits(secrets, clone.make("status", SHOW_SECRETS="1").stdout.encode())


def test_not_in_logs_labels_or_arguments(clone, secrets):
    client = clone.daemon.client()
    containers = client.containers.list(all=True)
    assert len(containers) >= 4
    for container in containers:
        assert hits(secrets, container.logs()) == [], container.name
        assert hits(secrets, json.dumps(container.labels).encode()) == [], container.name
        config = container.attrs["Config"]
        words = [config["Cmd"], config["Entrypoint"], config.get("Healthcheck"), container.attrs["Path"], container.attrs["Args"]]
        assert hits(secrets, json.dumps(words).encode()) == [], container.name
    for volume in client.volumes.list():
        assert hits(secrets, json.dumps(volume.attrs).encode()) == [], volume.name
    for network in client.networks.list():
        assert hits(secrets, json.dumps(network.attrs["Labels"]).encode()) == [], network.name


def test_not_in_the_arguments_of_any_process(clone, secrets):
    looked = 0
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            line = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        looked += 1
        assert hits(secrets, line) == [], entry
    assert looked > 5


def test_not_in_an_image_layer(clone, secrets):
    needles = re.compile(b"|".join(re.escape(form) for secret in secrets.values() for form in forms_of(secret)))
    client = clone.daemon.client()
    images = {c.attrs["Image"] for c in client.containers.list(all=True)}
    assert len(images) >= 3
    for image in images:
        tail = b""
        for chunk in client.api.get_image(image):
            assert needles.search(tail + chunk) is None, image
            tail = chunk[-256:]


def test_the_passphrase_is_for_its_owner_alone(clone):
    assert (clone.root / ".supastack" / "passphrase").stat().st_mode & 0o777 == 0o600
