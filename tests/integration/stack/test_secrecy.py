"""No secret is anywhere it should not be: searched for as bytes, in and around a whole stack with the logs' services on."""

import base64
import json
import os
import re
import subprocess
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from components.gateway import envoy
from tests.integration.plugins.harness import forms_of
from tests.integration.stack.whole import REAL, STUBS, Whole

pytestmark = [pytest.mark.docker, pytest.mark.engine]

# Secret settings of the user's own, beside the generated ones: in each, what some reader would have to quote.
OWN = {
    "adminPassword": "OwnAdmin+/=7Zq",
    "cachePassword": "OwnCachePassword-9",
    "dashboardPassword": "Own&Dashboard<7>Zq",
    "openaiApiKey": "sk-own-openai-7Zq",
    "smtpPassword": "own smtp %40 '7Zq'",
    "authProviderSecrets.github": "own-github-7Zq+/=",
    "functionSecrets.PAYMENTS_KEY": 'own "payments" \\ 7Zq',
    "serviceSecrets.rest.PGRST_OWN": "own-service-variable-7Zq",
}
NODE_CHECK = b"fetch('http://127.0.0.1:8080/health')"
"""The health check of meta: a process that runs for a moment only."""
SETTINGS: dict[str, Any] = {
    "analytics": {"enabled": True},
    "vector": {"enabled": True},
    "auth": {
        "smtp": {"host": "smtp.example.com", "user": "somebody"},
        "external": {"github": {"enabled": True, "clientId": "client"}},
    },
}


def hits(secrets: dict[str, str], content: bytes) -> list[str]:
    return sorted(name for name, secret in secrets.items() if any(form in content for form in forms_of(secret)))


@dataclass(frozen=True)
class Grep:
    """Searches what is too much for Python."""

    needles: Path

    def run(self, *words: str, chunks: Iterable[bytes] = ()) -> list[str]:
        """Names of the files that hold a secret; of what is given in chunks, `(standard input)`."""
        command = ["grep", "--text", "--fixed-strings", "--files-with-matches", f"--file={self.needles}", *words]
        with subprocess.Popen(
            command, env={**os.environ, "LC_ALL": "C"}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            try:
                for chunk in chunks:
                    process.stdin.write(chunk)
                process.stdin.close()
            except BrokenPipeError:
                pass  # it has found one, and reads no more
            found = process.stdout.read().decode().splitlines()
        assert process.returncode in {0, 1}
        return found


class Watched:
    """Every command line that there is on the machine meanwhile."""

    def __enter__(self) -> "Watched":
        self.lines: set[bytes] = set()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def await_line(self, word: bytes, seconds: float) -> None:
        """Goes on until a command line with that word has been there, but no longer than that."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not any(word in line for line in tuple(self.lines)):
            time.sleep(0.5)

    def _look(self) -> None:
        while not self._end.wait(0.1):
            for entry in os.scandir("/proc"):
                if entry.name.isdigit():
                    try:
                        self.lines.add(Path(entry.path, "cmdline").read_bytes())
                    except OSError:
                        continue


@dataclass(frozen=True)
class Up:
    """An up, and what was seen of it."""

    whole: Whole
    shown: str
    lines: set[bytes]


@pytest.fixture(scope="module")
def up(whole_up: Whole) -> Iterator[Up]:
    """The whole stack with secrets of the user's own and the logs' services."""
    clone = whole_up.clone
    words = [word for path, value in OWN.items() for word in ("--secret", f"supastack:{path}={value}")]
    clone.pulumi("config", "set-all", "--path", "--stack", "dev", *words)
    with whole_up.settings(supabase=SETTINGS):
        with Watched() as watched:
            shown = whole_up.up()
            # Of a service that the up leaves as it is, a check is run twice a minute only.
            watched.await_line(NODE_CHECK, 75)
        yield Up(Whole(clone), shown, watched.lines)


@pytest.fixture(scope="module")
def secrets(up: Up) -> dict[str, str]:
    """Every secret: generated, made of those, or the user's."""
    whole, clone = up.whole, up.whole.clone
    shown = clone.pulumi("stack", "export", "--show-secrets", "--stack", "dev").stdout
    found = {}
    for resource in json.loads(shown[shown.index("{") :])["deployment"]["resources"]:
        if resource["type"] == "random:index/randomPassword:RandomPassword":
            found[resource["urn"].rsplit("::", 1)[-1]] = json.loads(resource["outputs"]["result"]["plaintext"])
    assert {"supabase-database-password", "supabase-vault-enc-key", "cache-password", "objects-root-password"} <= set(found)
    masked = clone.pulumi("stack", "output", "--json", "--stack", "dev").stdout
    hidden = [name for name, value in json.loads(masked[masked.index("{") :]).items() if value == "[secret]"]
    assert {"ANON_KEY", "SECRET_KEY", "JWT_SECRET", "JWKS", "DB_URL", "S3_SECRET_KEY", "DASHBOARD_PASSWORD"} <= set(hidden)
    found |= {name: whole.outputs[name] for name in hidden}
    signing = json.loads(whole.env("supabase-auth")["GOTRUE_JWT_KEYS"])
    found["signing key"] = next(key["d"] for key in signing if key["kty"] == "EC")
    held = "".join(whole.file("supabase-gateway", path).decode() for path in (envoy.CONFIG_PATH, envoy.LUA_PATH))
    found |= {f"role token {n}": token for n, token in enumerate(sorted(set(re.findall(r"eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+", held))))}
    found |= {f"htpasswd {n}": line for n, line in enumerate(re.findall(r"\{SHA\}[\w+/=]+", held))}
    assert {"role token 3", "htpasswd 0"} <= set(found)
    assert min(map(len, found.values())) >= 16, "so that none is found by chance"
    return {**found, **OWN}


@pytest.fixture(scope="module")
def grep(secrets: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Grep:
    file = tmp_path_factory.mktemp("needles") / "needles"
    file.touch(0o600)
    file.write_bytes(b"\n".join(sorted({form for secret in secrets.values() for form in forms_of(secret)})) + b"\n")
    return Grep(file)


def test_the_search_finds_what_is_there(up: Up, secrets: dict[str, str], grep: Grep):
    file = up.whole.clone.root / ".env"
    assert hits(secrets, file.read_bytes()) == sorted(
        ["ANON_KEY", "DB_URL", "SERVICE_ROLE_KEY", "adminPassword", "app-setup-password", "supabase-database-password"]
        + [name for name in secrets if name.startswith("role token") and secrets[name] in file.read_text()]
    )
    assert grep.run(str(file)) == [str(file)]
    secret = secrets["cache-password"]
    for shift in range(3):
        packed = base64.b64encode(b"abc"[:shift] + secret.encode() + b"xyz")
        assert hits({"x": secret}, packed) == ["x"]
        assert grep.run("-", chunks=[b"before\n\0", packed, b"after"]) == ["(standard input)"]


def test_the_secrets_have_arrived_where_they_belong(up: Up, secrets: dict[str, str]):
    """Else nothing could be found anywhere."""
    held = {name: up.whole.env(f"supabase-{name}") for name in ("auth", "rest", "functions", "studio", "pooler", "analytics")}
    assert held["auth"]["GOTRUE_SMTP_PASS"] == OWN["smtpPassword"]
    assert held["auth"]["GOTRUE_EXTERNAL_GITHUB_SECRET"] == OWN["authProviderSecrets.github"]
    assert held["rest"]["PGRST_OWN"] == OWN["serviceSecrets.rest.PGRST_OWN"]
    assert OWN["functionSecrets.PAYMENTS_KEY"] in held["functions"].values()
    assert OWN["openaiApiKey"] in held["studio"].values()
    assert secrets["supabase-vault-enc-key"] in held["pooler"].values()
    assert secrets["supabase-logflare-private-access-token"] in held["analytics"].values()
    assert up.whole.call("/project/default", auth=up.whole.login).stub == "studio", "the login is the user's own"
    assert up.whole.outputs["DASHBOARD_PASSWORD"] == OWN["dashboardPassword"]


def test_not_in_the_raw_state_nor_in_anything_else_that_pulumi_keeps(up: Up, grep: Grep):
    private = up.whole.clone.root / ".supastack"
    assert len([file for file in private.rglob("*") if file.is_file()]) > 50
    assert grep.run("--recursive", str(private)) == []
    assert up.whole.clone.state_file().stat().st_size > 10_000


def test_not_in_git_nor_in_a_tracked_stack_file(up: Up, secrets: dict[str, str]):
    root = up.whole.clone.root
    for file in root.glob("Pulumi*.yaml"):
        assert hits(secrets, file.read_bytes()) == [], file
    assert up.whole.clone.status().split() in ([], ["M", "Pulumi.dev.yaml"]), "this test's own change alone"


@pytest.mark.parametrize("options", [[], ["--diff"], ["--json"]], ids=["plain", "diff", "json"])
def test_not_in_a_preview_of_a_change(up: Up, secrets: dict[str, str], options: list[str]):
    changed = {"studio": {"username": "somebody"}, "auth": {"jwtExpiry": 1800}, "rest": {"maxRows": 7}}
    with up.whole.settings(admin={"name": "Somebody"}, cache={"maxMemory": "90mb"}, supabase=changed):
        shown = up.whole.clone.pulumi("preview", *options, "--stack", "dev").stdout
    for name in ("env-nextjs", "supabase-gateway", "supabase-auth", "cache-valkey"):
        assert name in shown
    assert hits(secrets, shown.encode()) == []


def test_not_in_what_an_up_or_a_status_prints(up: Up, secrets: dict[str, str]):
    clone = up.whole.clone
    assert "DASHBOARD_PASSWORD             ******" in up.shown
    assert hits(secrets, up.shown.encode()) == []
    for asked in ({}, {"FORMAT": "json"}):
        assert hits(secrets, clone.make("status", **asked).stdout.encode()) == []
    assert hits(secrets, clone.make("env").stdout.encode()) == []
    shown = hits(secrets, clone.make("status", SHOW_SECRETS="1").stdout.encode())
    assert {"supabase-database-password", "SECRET_KEY", "dashboardPassword"} <= set(shown)


def test_not_in_logs_labels_or_arguments(up: Up, secrets: dict[str, str]):
    containers = up.whole.containers()
    assert set(containers) >= {*REAL, *STUBS, "supabase-analytics", "supabase-vector"}
    for name, container in containers.items():
        assert hits(secrets, container.logs()) == [], name
        assert hits(secrets, json.dumps(container.labels).encode()) == [], name
        config = container.attrs["Config"]
        words = [config["Cmd"], config["Entrypoint"], config.get("Healthcheck"), container.attrs["Path"], container.attrs["Args"]]
        assert hits(secrets, json.dumps(words).encode()) == [], name
        # What the last checks printed is kept too.
        assert hits(secrets, json.dumps(container.attrs["State"]).encode()) == [], name
    client = up.whole.clone.daemon.client()
    for volume in client.volumes.list():
        assert hits(secrets, json.dumps(volume.attrs).encode()) == [], volume.name
    for network in client.networks.list():
        assert hits(secrets, json.dumps(network.attrs["Labels"]).encode()) == [], network.name


def test_not_in_what_the_daemon_itself_has_logged(up: Up, grep: Grep):
    assert up.whole.clone.daemon.log.stat().st_size > 0
    assert grep.run(str(up.whole.clone.daemon.log)) == []


def test_not_in_the_arguments_of_any_process_during_an_up_nor_of_a_health_check(up: Up, secrets: dict[str, str]):
    seen = b"\n".join(up.lines).replace(b"\0", b" ")
    # So that it says something: the engine, servers, and checks that run for a moment only.
    for word in (b"pulumi up", b"postgres", b"envoy", NODE_CHECK):
        assert word in seen, word
    assert hits(secrets, seen) == []


def test_not_in_an_image_layer(up: Up, grep: Grep):
    images = {c.attrs["Image"] for c in up.whole.containers().values()}
    assert len(images) == len(REAL) + 1
    # All at once, since they share layers.
    with subprocess.Popen(
        ["docker", "save", *sorted(images)], env={**os.environ, "DOCKER_HOST": up.whole.clone.daemon.host}, stdout=subprocess.PIPE
    ) as saved:
        assert saved.stdout is not None
        assert grep.run("-", chunks=iter(partial(saved.stdout.read, 1 << 20), b"")) == []
    assert saved.returncode == 0


def test_the_passphrase_is_for_its_owner_alone(up: Up):
    assert (up.whole.clone.root / ".supastack" / "passphrase").stat().st_mode & 0o777 == 0o600
