"""Policies under a real engine: a stack of prod that breaks them is stopped, one of dev is told; the pack says the same as make does.

The language host that is built here can't start packs (docs/policies.md), so the engine starts this one by a script of the test's.
"""

import json
import re
from pathlib import Path

import pytest
import yaml

from tests.clone_root import ROOT
from tests.integration.clone import Clone
from tests.peers import tools
from tests.unit.toolchain.test_pin import DIGEST, registry

pytestmark = [pytest.mark.engine, pytest.mark.docker]

CACHE = {
    "supastack:imageSource": "registry",
    "supastack:instance": "11",
    "supastack:supabase": {"enabled": False},
    "supastack:objectStorage": {"enabled": False},
    "supastack:envFiles": {},
}
WAIVED = {"supastack:policies": {"waivers": {"image-digests": "the test's own, and nothing is pulled"}}}
OPEN = {"supastack:bindAddress": "0.0.0.0"}
STACK = "guarded"
PUBLISHED = "your-super-secret-and-long-postgres-password"
"""Upstream's example of one."""


@pytest.fixture(scope="module")
def guarded(clone):
    """Writes the stack's file; in the end there is neither stack nor file."""
    path = clone.root / f"Pulumi.{STACK}.yaml"

    def write(environment, **settings):
        path.write_text(yaml.safe_dump({"config": {"supastack:environment": environment, **CACHE, **settings}}))
        return path

    yield write
    clone.make("purge", STACK=STACK, CONFIRM=STACK, code=None)
    path.unlink(missing_ok=True)


def preview(clone, code, **variables):
    return clone.make("preview", STACK=STACK, code=code, **variables).stdout


def test_what_must_hold_in_prod_ends_its_preview_and_its_up_and_is_advice_in_dev(clone, guarded):
    guarded("prod", **OPEN, **WAIVED)
    told = json.loads(re.search(r"^\{.*^\}", preview(clone, 2, FORMAT="json"), re.MULTILINE | re.DOTALL)[0])["findings"]
    assert {(f["rule"], f["resource"]) for f in told if f["mandatory"]} == {
        ("bind-addresses", "bindAddress"),
        ("bind-addresses", "cache-valkey"),
    }

    stopped = clone.make("up", STACK=STACK, code=2).stdout
    assert "[must hold] bind-addresses: 2 violations" in stopped
    assert re.search(r"cache-valkey: port \d+ is published on all addresses of the machine", stopped)
    assert "fix: set supastack:bindAddress to one address" in stopped
    assert "[waived] image-digests" in stopped
    assert "waived: the test's own, and nothing is pulled" in stopped
    assert "error: policies that must hold in prod do not (2 violations): nothing has been touched." in stopped
    assert clone.run("docker", "ps", "-aq", "--filter", f"name=supastack-{STACK}").stdout == ""
    assert not json.loads(clone.state_file(STACK).read_text())["checkpoint"]["latest"].get("resources")

    guarded("dev", **OPEN)
    advised = preview(clone, 0)
    assert "[advice] bind-addresses: 2 violations" in advised
    assert "image-digests" not in advised


@pytest.fixture(scope="session")
def pack_python():
    """Python with what a pack needs, as docs/policies.md has it made; kept by its pins."""
    return tools.python_with("policy-pack", ROOT / "policies/requirements.txt")


@pytest.fixture
def pack(clone: Clone, pack_python: Path, tmp_path: Path):
    """Runs a preview with the pack in the engine; gives what it printed of policies: level, policy and resource."""
    folder, programs = tmp_path / "pack", tmp_path / "bin"
    folder.mkdir()
    programs.mkdir()
    project = yaml.safe_load((clone.root / "policies/PulumiPolicy.yaml").read_text())
    (folder / "PulumiPolicy.yaml").write_text(yaml.safe_dump({**project, "runtime": "supastack-script"}))
    script = programs / "pulumi-analyzer-policy-supastack-script"
    script.write_text(f'#!/bin/sh\nexec {pack_python} -u -m pulumi.policy "$1" {clone.root}/policies\n')
    script.chmod(0o755)

    def run(code):
        words = (
            f'. .supastack/activate && PATH="{programs}:$PATH" exec pulumi preview --stack {STACK} --policy-pack {folder} "$@"'
        )
        shown = clone.run("bash", "-c", words, "pulumi", "--suppress-outputs", "--suppress-progress", code=code).stdout
        return sorted(re.findall(r"\[(mandatory|advisory)\]\s+([a-z-]+)\s+\(\S+: ([\w-]+)\)", shown)), shown

    return run


def test_the_pack_in_the_engine_finds_what_make_finds(clone, guarded, pack):
    guarded("prod", **OPEN, **WAIVED)
    found, shown = pack(1)
    assert found == [
        ("mandatory", "bind-addresses", "cache-valkey"),
        ("mandatory", "bind-addresses-stack", f"supastack-{STACK}"),
    ]
    assert "bindAddress: 0.0.0.0 is every address of the machine. Fix: set supastack:bindAddress" in shown


def test_the_pack_sees_a_published_secret_that_is_masked_elsewhere_and_does_not_print_it(clone, guarded, pack):
    guarded("staging", **OPEN)
    clone.pulumi("config", "set", "--secret", "--stack", STACK, "supastack:cachePassword", PUBLISHED)
    found, shown = pack(0)
    assert {(level, policy) for level, policy, _ in found} == {
        ("advisory", "bind-addresses-advice"),
        ("advisory", "bind-addresses-stack-advice"),
        ("advisory", "well-known-keys-advice"),
        # Handed over by the environment, the config has its secrets in plain.
        ("advisory", "well-known-keys-stack-advice"),
    }
    assert PUBLISHED not in shown


def test_make_pin_writes_what_a_registry_tells_into_the_stack_file(clone, guarded):
    """The registry is a stand-in on this machine, which stands in the daemon's network: it knows one tag."""
    with registry(knows=("hub/valkey/valkey:8.1.5",)) as (host, _):
        # What was set by command stays in this clone, and would be refused.
        clone.pulumi("config", "rm", "--stack", STACK, "supastack:cachePassword", code=None)
        path = guarded("prod", **{"supastack:images": {"mirror": f"{host}/hub"}})
        path.write_text(path.read_text() + "# The end.\n")
        shown = clone.make("pin", STACK=STACK, inside=False).stdout
    assert f"valkey: {DIGEST}" in shown
    assert path.read_text().endswith("# The end.\n")
    assert yaml.safe_load(path.read_text())["config"]["supastack:images"]["digests"] == {"valkey": DIGEST}
    assert "must hold" not in preview(clone, 0)


def test_what_is_allowed_in_prod_comes_up_by_the_preview_that_was_asked_about(clone, guarded):
    guarded("prod", **WAIVED, **{"supastack:imageSource": "local"})
    up = clone.make("up", STACK=STACK).stdout
    assert "[waived] image-digests" in up
    assert f"Stack {STACK} is up." in up
