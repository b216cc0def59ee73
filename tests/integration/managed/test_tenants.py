"""MonoPilot's stack (seed 004) from a fresh clone, with no Docker in reach: five tenants, of whom one moves, and one goes.

Nobody is asked at the other end: the projects of the shipped file are made up, and so are their secrets.
"""

import base64
import json
import os
import re
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
import yaml

from components.env_apps.monopilot import MONOPILOT
from components.env_format import Format, read
from tests.integration.clone import Clone
from tests.integration.managed.test_no_docker import NoDaemon
from tests.integration.plugins.harness import forms_of

pytestmark = pytest.mark.engine

SHARED, MOVED = "monopilotsharedprojx", "seconddairyprojectxx"
PROJECTS = {"acme": "acmefoodsenterprisex", "globex": "globexpharmaprojectx", "org_2": MOVED}
STANDARD = ("org_1", "org_2", "org_3")
SHELL = 'set -e; out=$(make -s activate STACK=monopilot); eval "$out"; '
PRIVATE = {"": "shared-9dR?w/+", "acme": "acme-Ks8 #1@", "globex": "globex-q%Z4&", "org_2": "dairy-T6'x:"}
"""Passwords of the databases, by tenant."""


def key(ref: str, role: str) -> str:
    """A key as the platform makes it."""
    parts = (
        {"alg": "HS256", "typ": "JWT"},
        {"iss": "supabase", "ref": ref, "role": role, "iat": 1_700_000_000, "exp": 2_000_000_000},
    )
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join([*encoded, base64.urlsafe_b64encode(f"{role} of {ref}, signed there".encode()).rstrip(b"=").decode()])


def secret(path: str) -> str:
    """A made-up value of a secret setting."""
    names = path.removeprefix("supastack:").split(".")
    tenant = names[1] if names[0] == "tenantSecrets" else ""
    ref = PROJECTS.get(tenant, SHARED)
    found = {
        "databasePassword": PRIVATE[tenant],
        "anonKey": key(ref, "anon"),
        "serviceRoleKey": key(ref, "service_role"),
        "cachePassword": "upstash-Password1",
    }
    return found[names[-1]]


class Stack:
    """The stack in a clone on a machine without the docker command."""

    def __init__(self, folder: Path) -> None:
        nowhere: Any = NoDaemon()
        self.clone = Clone(folder, nowhere)
        self.clone.copy()
        if Clone._environment is not None and Clone._environment.is_dir():
            shutil.copytree(Clone._environment, self.clone.root / ".venv", symlinks=True)
        fake = folder / "bin" / "docker"
        fake.parent.mkdir()
        fake.write_text(f'#!/bin/sh\necho "$@" >> {folder}/docker-was-called\nexit 1\n')
        fake.chmod(0o755)
        self.clone.env["PATH"] = f"{fake.parent}{os.pathsep}{self.clone.env['PATH']}"
        self.said = ""

    def make(self, target: str, code: int = 0, **variables: str) -> str:
        """A target of the stack, and what it says."""
        shown = self.clone.make(target, code=code, STACK="monopilot", **variables).stdout
        self.said += shown
        return shown

    def obey(self, refused: str) -> list[str]:
        """Runs the commands that a refusal names, each with a made-up value; the secrets they were for."""
        commands = re.findall(r"run: (pulumi config set --secret .*? --stack monopilot)", refused)
        paths = [re.findall(r"supastack:[\w.]+", command)[0] for command in commands]
        for command, path in zip(commands, paths, strict=True):
            self.clone.run("bash", "-c", f'{SHELL}printf %s "$GIVEN" | {command}', GIVEN=secret(path))
        return sorted(path.removeprefix("supastack:") for path in paths)

    def edit(self, change: Any) -> None:
        """Changes the list of tenants in the shipped file."""
        file = self.clone.root / "Pulumi.monopilot.yaml"
        settings = yaml.safe_load(file.read_text())
        change(settings["config"]["supastack:tenants"])
        file.write_text(yaml.safe_dump(settings, sort_keys=False))

    def steps(self) -> dict[str, str]:
        """What a preview would do, by resource."""
        shown = self.clone.run("bash", "-c", f"{SHELL}pulumi preview --json --stack monopilot").stdout
        steps = json.loads(shown[shown.index("{") :])["steps"]
        return {step["urn"].rsplit("::", 1)[-1]: step["op"] for step in steps if step["op"] not in {"same", "read", "refresh"}}

    def file(self, tenant: str) -> Path:
        return self.clone.root / f".env.monopilot.{tenant}"

    def values(self, tenant: str) -> dict[str, str]:
        return dict(read(self.file(tenant).read_text(), Format.DOTENV).values)

    def stamps(self) -> dict[str, tuple[int, int]]:
        """Which files there are, and when each was written."""
        return {
            p.name.rsplit(".", 1)[-1]: (p.stat().st_ino, p.stat().st_mtime_ns) for p in self.clone.root.glob(".env.monopilot.*")
        }


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """The shipped stack, up, after every secret was given that it asked for."""
    stack = Stack(tmp_path_factory.mktemp("tenants"))
    asked = stack.obey(stack.make("up", code=2))
    assert asked == sorted(
        ["anonKey", "cachePassword", "databasePassword", "serviceRoleKey"]
        + [
            f"tenantSecrets.{tenant}.{name}"
            for tenant in ("acme", "globex")
            for name in ("anonKey", "databasePassword", "serviceRoleKey")
        ]
    )
    stack.make("up")
    return stack


def test_every_tenants_file_is_complete(stack: Stack) -> None:
    assert stack.stamps().keys() == {*STANDARD, "acme", "globex"}
    needed = {name for name, variable in MONOPILOT.variables.items() if variable.required}
    for tenant in stack.stamps():
        assert stack.file(tenant).stat().st_mode & 0o777 == 0o600
        values = stack.values(tenant)
        assert needed | {"ORG_ID", "TENANT_ID", "TENANT_TIER", "DB_POOL_SIZE", "SCHEDULED_TASKS", "NODE_ENV"} <= values.keys()
        assert (values["CACHE_TTL_PRODUCT_CATALOG"], values["CACHE_TTL_SETTINGS"]) == ("300", "600")
        assert values["TENANT_ID"] == tenant
    assert stack.clone.status() == "", "Git would take nothing of it"


def test_a_tenant_reaches_its_own_project_and_no_other(stack: Stack) -> None:
    def reached(tenant: str) -> set[tuple[str, str]]:
        urls = [urlsplit(value) for name, value in stack.values(tenant).items() if name.endswith(("DATABASE_URL", "DIRECT_URL"))]
        return {(re.sub(r"^db\.|\.supabase\.co$", "", u.hostname or ""), unquote(u.password or "")) for u in urls}

    standard, acme = stack.values("org_1"), stack.values("acme")
    assert standard["NEXT_PUBLIC_SUPABASE_URL"] == f"https://{SHARED}.supabase.co"
    assert {password for _, password in reached("org_1")} == {PRIVATE[""]}
    assert standard["TENANT_REGION"] == "eu-central-1"
    assert acme["NEXT_PUBLIC_SUPABASE_URL"] == f"https://{PROJECTS['acme']}.supabase.co"
    assert reached("acme") == {("aws-1-eu-west-1.pooler.supabase.com", PRIVATE["acme"]), (PROJECTS["acme"], PRIVATE["acme"])}
    assert acme["ORG_ID"] != acme["TENANT_ID"] == "acme"
    assert "READ_DATABASE_URL" in standard
    assert "READ_DATABASE_URL" not in acme, "the shared project's replica is not its own"
    for tenant in ("acme", "globex"):
        text = unquote(stack.file(tenant).read_text())
        assert SHARED not in text
        assert PRIVATE[""] not in text


def test_a_machine_that_only_reads_the_state_sees_no_drift_and_prints_every_value(stack: Stack, tmp_path: Path) -> None:
    files = list(stack.clone.root.glob(".env.monopilot.*"))
    notes = stack.clone.root / ".supastack/env-files"
    for moved in (*files, notes):
        moved.rename(tmp_path / moved.name)
    try:
        assert stack.steps() == {}
        assert "are not as deployed" not in stack.make("drift")
        shown = stack.clone.make("env", STACK="monopilot", FOR="tenant-acme", SHOW_SECRETS="1").stdout
        assert (tmp_path / ".env.monopilot.acme").read_text() in shown
        open_ = stack.make("env", FOR="tenant-acme", FORMAT="github-variables")
        assert f"NEXT_PUBLIC_SUPABASE_ANON_KEY={key(PROJECTS['acme'], 'anon')}\n" in open_
        assert "SERVICE_ROLE" not in open_
    finally:
        for moved in (*files, notes):
            (tmp_path / moved.name).rename(moved)


def test_a_file_that_was_removed_where_it_was_written_is_written_again(stack: Stack) -> None:
    before = stack.file("org_1").read_text()
    stack.file("org_1").unlink()
    assert stack.steps() == {"tenant-org_1": "create"}
    assert "missing: make up writes it again" in stack.make("env", code=2)
    stack.make("up")
    assert stack.file("org_1").read_text() == before


def test_the_order_of_the_list_changes_nothing(stack: Stack) -> None:
    stack.edit(lambda tenants: tenants.reverse())
    assert stack.steps() == {}


def test_a_move_to_enterprise_is_one_tenants_change_and_says_what_does_not_move(stack: Stack) -> None:
    before = stack.stamps()

    def move(tenants: list[dict[str, Any]]) -> None:
        (dairy,) = [tenant for tenant in tenants if tenant["id"] == "org_2"]
        dairy |= {"tier": "enterprise", "project": {"ref": MOVED, "poolerHost": "aws-1-eu-north-1.pooler.supabase.com"}}

    stack.edit(move)
    asked = stack.obey(stack.make("preview", code=2))
    assert asked == [f"tenantSecrets.org_2.{name}" for name in ("anonKey", "databasePassword", "serviceRoleKey")]
    assert stack.steps() == {"tenant-org_2": "update"}
    shown = stack.make("preview")
    assert "tenant org_2 goes from standard (shared) to enterprise (seconddairyprojectxx)" in shown
    assert "are not moved" in shown
    assert re.search(r"\[urn=urn:pulumi:monopilot::\S+::tenant-org_2\]", shown), "property by property"
    stack.make("up")
    after = stack.stamps()
    assert [tenant for tenant in after if after[tenant] != before[tenant]] == ["org_2"]
    assert stack.values("org_2")["NEXT_PUBLIC_SUPABASE_URL"] == f"https://{MOVED}.supabase.co"
    assert stack.steps() == {}


def test_a_tenant_that_goes_takes_its_file_alone(stack: Stack) -> None:
    before = stack.stamps()
    stack.edit(lambda tenants: tenants.remove(next(tenant for tenant in tenants if tenant["id"] == "org_3")))
    assert stack.steps() == {"tenant-org_3": "delete"}
    stack.make("up")
    after = stack.stamps()
    assert before.keys() - after.keys() == {"org_3"}
    assert after == {tenant: stamp for tenant, stamp in before.items() if tenant != "org_3"}


def test_the_summary_names_the_tenants_and_nothing_secret_was_said_or_kept(stack: Stack) -> None:
    shown = stack.make("status")
    assert re.search(rf"org_2 +enterprise +{MOVED} ", shown)
    assert re.search(r"org_1 +standard +shared ", shown)
    assert str(stack.file("acme")) in stack.make("env")
    hidden = [*PRIVATE.values(), *(key(ref, "service_role") for ref in (SHARED, *PROJECTS.values()))]
    forms = [form for value in hidden for form in forms_of(value)]
    assert [form for form in forms if form in stack.said.encode()] == []
    kept = [p for p in (stack.clone.root / ".supastack").rglob("*") if p.is_file() and "pulumi-home" not in p.parts]
    assert [p for p in kept if any(form in p.read_bytes() for form in forms)] == []
    assert any(form in stack.file("acme").read_bytes() for form in forms), "the search finds it where it is"
    assert not (stack.clone.root.parent / "docker-was-called").exists()
