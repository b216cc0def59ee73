"""The settings of tenants, lifetimes and tasks: what each may say, and what they can't say together."""

import base64
import json
from datetime import date
from typing import Any

import pytest

from components import cache_address
from components.settings import Ciphertext, Settings, SettingsError, load

SHARED, ACME, GLOBEX = "sharedprojectabcdefg", "acmeprojectabcdefghi", "globexprojectabcdefg"
HIDDEN = Ciphertext()
OF_ACME = {"databasePassword": "acme-Password/1", "anonKey": HIDDEN, "serviceRoleKey": HIDDEN}


def given(tenants: Any, secrets: Any = None, **more: Any) -> Settings:
    """The settings of a stack with tenants; `secrets`: tenantSecrets."""
    config = {"supastack:tenants": tenants, **{f"supastack:{name}": value for name, value in more.items()}}
    if secrets is not None:
        config["supastack:tenantSecrets"] = secrets
    return load(config, stack="dev", secret_keys=["supastack:tenantSecrets", "supastack:appSecrets"], today=date(2026, 6, 1))


def refused(tenants: Any, secrets: Any = None, **more: Any) -> dict[str, str]:
    """What is said of each key: the reason and the fix."""
    with pytest.raises(SettingsError) as caught:
        given(tenants, secrets, **more)
    text = str(caught.value)
    assert "acme-Password" not in text
    blocks = [block.strip().split("\n    ") for block in text.split("\n\n")[1:]]
    return {block[0].split(" = ")[0].removeprefix("supastack:"): "\n".join(block[1:]) for block in blocks}


def enterprise(name: str, ref: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "tier": "enterprise", "project": {"ref": ref, **more.pop("project", {})}, **more}


def key(ref: str, role: str, end: int = 2_000_000_000) -> str:
    """A key as the platform makes it; nobody here can say who has signed it."""
    parts = ({"alg": "HS256", "typ": "JWT"}, {"iss": "supabase", "ref": ref, "role": role, "iat": 1_700_000_000, "exp": end})
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join([*encoded, "c2lnbmF0dXJlLW9mLXRoZS1wcm9qZWN0LWl0c2VsZg"])


def test_the_order_of_the_list_means_nothing() -> None:
    tenants = [{"id": "zed"}, enterprise("acme", ACME), {"id": "org_1", "orgId": "42"}]
    assert [tenant.id for tenant in given(tenants, {"acme": OF_ACME}).tenants] == ["acme", "org_1", "zed"]
    assert given(tenants, {"acme": OF_ACME}).tenants == given(tenants[::-1], {"acme": OF_ACME}).tenants
    # As the engine hands it over.
    assert [tenant.id for tenant in given(json.dumps([{"id": "b"}, {"id": "a"}])).tenants] == ["a", "b"]


def test_a_tenant_has_what_its_project_says_and_else_what_is_usual() -> None:
    pooler = "aws-1-eu-west-1.pooler.supabase.com"
    acme, org = given(
        [enterprise("acme", ACME, project={"poolerHost": pooler}, compliance=["soc2"]), {"id": "org"}], {"acme": OF_ACME}
    ).tenants
    assert (acme.region, acme.project_ref, acme.name, acme.org_id) == ("eu-west-1", ACME, "acme", "acme")
    assert (org.region, org.project_ref, org.project) == (None, "shared", None)
    managed = {"managed": {"ref": SHARED, "region": "eu-central-2"}}
    (org,) = load(
        {"supastack:tenants": [{"id": "org"}], "supastack:supabase": managed, "supastack:databasePassword": HIDDEN}, stack="dev"
    ).tenants
    assert org.region == "eu-central-2", "its data is where the shared project is"


def test_what_the_files_of_standard_tenants_are_made_of_is_asked_for_where_others_run_the_shared_project() -> None:
    more = {"supabase": {"managed": {"ref": SHARED}}, "databasePassword": HIDDEN, "tenantEnvFile": {"app": "monopilot"}}
    said = refused([{"id": "org_2"}, {"id": "org_1"}], **more)
    assert said.keys() == {"anonKey", "serviceRoleKey"}
    assert "NEXT_PUBLIC_SUPABASE_ANON_KEY of the env files of org_1, org_2" in said["anonKey"]
    assert "pulumi config set --secret supastack:anonKey --stack dev" in said["anonKey"]
    given([{"id": "org_1"}], **more, anonKey=HIDDEN, serviceRoleKey=HIDDEN)
    given([{"id": "org_1"}], tenantEnvFile={"app": "monopilot"})  # the stack's own project makes its keys
    given([enterprise("acme", ACME)], {"acme": OF_ACME}, **more)


def test_a_tenant_that_stands_in_the_list_twice_is_named_by_both_places() -> None:
    said = refused([{"id": "acme"}, {"id": "org_1"}, {"id": "acme"}])
    assert list(said) == ["tenants[2].id"]
    assert "tenant acme stands in the list already, as tenants[0]" in said["tenants[2].id"]


def test_two_tenants_never_have_the_same_rows() -> None:
    said = refused([{"id": "a", "orgId": "7"}, {"id": "b", "orgId": "7"}])
    assert "the tenant a have the same id" in said["tenants[1].orgId"]
    # In a project of its own an id is nobody else's.
    given([{"id": "a", "orgId": "7"}, enterprise("b", ACME, orgId="7")], {"b": OF_ACME})


def test_a_tenant_without_an_id_or_with_a_wrong_one_is_refused() -> None:
    assert list(refused([{"name": "Acme"}])) == ["tenants[0].id"]
    assert list(refused([{"id": "ok"}, {"id": "Not/ok"}])) == ["tenants[1].id"]
    assert "did you mean 'orgId'" in refused([{"id": "a", "orgID": "1"}])["tenants[0].orgID"]


def test_the_tier_says_who_has_a_project() -> None:
    said = refused([{"id": "acme", "tier": "enterprise"}, {"id": "org", "project": {"ref": ACME}}], {"acme": OF_ACME})
    assert "pulumi config set --path 'supastack:tenants[0].project.ref' REF --stack dev" in said["tenants[0].project.ref"]
    assert "the tenant org is standard" in said["tenants[1].project.ref"]
    assert "the shared project's policy" in refused([{"id": "org", "backup": {"schedule": "daily"}}])["tenants[0].backup"]


def test_no_two_have_one_project_nor_one_the_stacks_own() -> None:
    more = {"supabase": {"managed": {"ref": SHARED}}, "databasePassword": HIDDEN}
    said = refused([enterprise("a", ACME), enterprise("b", ACME), enterprise("c", SHARED)], dict.fromkeys("abc", OF_ACME), **more)
    assert said.keys() == {"tenants[1].project.ref", "tenants[2].project.ref"}
    assert "that of the tenant a" in said["tenants[1].project.ref"]
    assert "supabase.managed.ref" in said["tenants[2].project.ref"]


def test_regions_agree() -> None:
    pooler = {"poolerHost": "aws-1-eu-west-1.pooler.supabase.com"}
    tenant = enterprise("acme", ACME, project=pooler, region="us-east-1", backup={"crossRegion": "eu-west-1"})
    assert refused([tenant], {"acme": OF_ACME}).keys() == {"tenants[0].region", "tenants[0].backup.crossRegion"}
    tenant = enterprise("acme", ACME, project={**pooler, "region": "us-east-1"})
    assert refused([tenant], {"acme": OF_ACME}).keys() == {"tenants[0].project.region"}


def test_a_missing_secret_is_asked_for_with_the_very_command() -> None:
    said = refused([enterprise("acme", ACME)], tenantEnvFile={"app": "monopilot"})
    assert said.keys() == {f"tenantSecrets.acme.{name}" for name in ("databasePassword", "anonKey", "serviceRoleKey")}
    command = "pulumi config set --secret --path 'supastack:tenantSecrets.acme.anonKey' --stack dev"
    assert command in said["tenantSecrets.acme.anonKey"]
    assert "NEXT_PUBLIC_SUPABASE_ANON_KEY" in said["tenantSecrets.acme.anonKey"]
    # What no file needs is not asked for.
    assert refused([enterprise("acme", ACME)]).keys() == {"tenantSecrets.acme.databasePassword"}


def test_a_secret_of_the_apps_own_is_given_once_and_stands_in_for_the_templates() -> None:
    more = {"tenantEnvFile": {"app": "monopilot", "variables": {"TOKEN": "x"}, "groups": {"More": {"variables": {"URL": "y"}}}}}
    said = refused([{"id": "org"}], appSecrets={"monopilot": {"TOKEN": HIDDEN, "URL": HIDDEN}}, **more)
    assert said.keys() == {"tenantEnvFile.variables.TOKEN", "tenantEnvFile.variables.URL"}
    command = "pulumi config rm --path 'supastack:appSecrets.monopilot.TOKEN' --stack dev"
    assert "supastack:appSecrets.monopilot.TOKEN gives it too" in said["tenantEnvFile.variables.TOKEN"]
    assert command in said["tenantEnvFile.variables.TOKEN"]
    # Of another app it is somebody else's.
    given([{"id": "org"}], appSecrets={"nextjs": {"TOKEN": HIDDEN}}, envFiles={"nextjs": {}}, **more)
    # A key that the template takes from the project is not asked for where the settings have one.
    file = {"tenantEnvFile": {"app": "monopilot"}, "appSecrets": {"monopilot": {"SUPABASE_SERVICE_ROLE_KEY": HIDDEN}}}
    more = {**file, "supabase": {"managed": {"ref": SHARED}}, "databasePassword": HIDDEN}
    assert refused([{"id": "org"}], **more).keys() == {"anonKey"}
    own = {"id": "org", "variables": {"SUPABASE_SERVICE_ROLE_KEY": "${SERVICE_ROLE_KEY}"}}
    assert refused([own], **more).keys() == {"anonKey", "serviceRoleKey"}


def test_where_a_tenant_has_a_project_of_its_own_that_projects_secrets_are_asked_for_whatever_the_app_is_given() -> None:
    hidden = dict.fromkeys(("SUPABASE_SERVICE_ROLE_KEY", "DIRECT_URL", "REDIS_URL", "CACHE_TTL_SETTINGS", "TOKEN"), HIDDEN)
    file = {"tenantEnvFile": {"app": "monopilot"}, "appSecrets": {"monopilot": hidden}}
    said = refused([enterprise("acme", ACME)], **file)
    assert said.keys() == {f"tenantSecrets.acme.{name}" for name in ("databasePassword", "anonKey", "serviceRoleKey")}
    plain = enterprise("acme", ACME, variables={"SUPABASE_SERVICE_ROLE_KEY": "none"})
    assert "tenantSecrets.acme.serviceRoleKey" not in refused([plain], **file)
    # It is said of which tenants, and of no variable that is every tenant's or none of the template's.
    tenants = [{"id": "org"}, enterprise("acme", ACME), {**plain, "id": "globex", "project": {"ref": GLOBEX}}]
    warnings = given(tenants, dict.fromkeys(("acme", "globex"), OF_ACME), **file).warnings
    said_of = {line.partition(" has no effect for ")[0]: line.partition(" has no effect for ")[2] for line in warnings}
    assert {name: rest.partition(":")[0] for name, rest in said_of.items() if "appSecrets" in name} == {
        "supastack:appSecrets.monopilot.DIRECT_URL": "acme, globex",
        "supastack:appSecrets.monopilot.SUPABASE_SERVICE_ROLE_KEY": "acme",
    }
    assert not any("appSecrets" in line for line in given([{"id": "org"}], **file).warnings)


def test_secrets_are_those_of_a_tenant_that_can_have_them() -> None:
    said = refused([{"id": "org"}], {"orgs": {"anonKey": HIDDEN}, "org": {"anonKey": HIDDEN, "redisUrl": HIDDEN}})
    assert said.keys() == {"tenantSecrets.orgs", "tenantSecrets.org.anonKey"}
    assert "did you mean 'org'" in said["tenantSecrets.orgs"]


@pytest.mark.parametrize(
    ("secret", "value", "reason"),
    [
        ("anonKey", key(GLOBEX, "anon"), "another project"),
        ("anonKey", key(ACME, "service_role"), "not a key of the role anon"),
        ("serviceRoleKey", key(ACME, "service_role", end=1_700_000_100), "it has ended"),
        ("redisUrl", "https://acme-Password.example.com", "not the address of a cache"),
    ],
)
def test_a_key_of_another_project_or_role_or_time_is_refused_unseen(secret: str, value: str, reason: str) -> None:
    said = refused([enterprise("acme", ACME)], {"acme": {**OF_ACME, secret: value}})
    assert said.keys() == {f"tenantSecrets.acme.{secret}"}
    assert reason in said[f"tenantSecrets.acme.{secret}"]
    assert value not in str(said)


@pytest.mark.parametrize(
    "url",
    [
        "redis://",
        "rediss://default:4/acme-Password@h:6379",  # the slash ends the host
        "rediss://default:4#acme-Password@h:6379",
        "rediss://default:4?acme-Password@h:6379",
        "rediss://acme-Password@h:6379",  # a user without a password
        "rediss://:acme-Password@h:0",
        "rediss://:acme-Password@h:99999",
        "rediss://:acme-Password@[::1",
        "rediss://:acme Password@h",
    ],
)
def test_an_address_of_which_a_piece_of_the_password_might_be_shown_is_refused_for_every_tier(url: str) -> None:
    said = refused([{"id": "org"}], {"org": {"redisUrl": url}})
    assert said.keys() == {"tenantSecrets.org.redisUrl"}
    assert "percent-encoded" in said["tenantSecrets.org.redisUrl"]


def test_an_address_of_a_cache_is_what_clients_read_in_it() -> None:
    found = cache_address.parse("rediss://app%40eu:p%2F%3A@word@Cache.Example.com/3?family=6")
    assert (found.host, found.port, found.user, found.password, found.number) == (
        "cache.example.com",
        6379,
        "app@eu",
        "p/:@word",
        3,
    )
    assert "word" not in repr(found)
    assert [cache_address.parse(f"redis://{host}").open for host in ("localhost", "[::1]", "10.0.0.7")] == [False, False, True]


def test_right_keys_are_taken() -> None:
    own = {"anonKey": key(ACME, "anon"), "serviceRoleKey": key(ACME, "service_role"), "redisUrl": "rediss://:p@h:6379"}
    given([enterprise("acme", ACME)], {"acme": {**OF_ACME, **own}})


def test_each_tenant_has_a_file_of_its_own() -> None:
    two = [{"id": "a"}, {"id": "b"}]
    said = refused(two, tenantEnvFile={"app": "nextjs", "path": ".env.all"})
    assert "${TENANT}" in said["tenantEnvFile.path"]
    said = refused(two, tenantEnvFile={"app": "nextjs", "path": ".env.${TENANT}"}, envFiles={"nextjs": {"path": ".env.b"}})
    assert "the file of the tenant b would be that of nextjs" in said["tenantEnvFile.path"]
    assert "kept for other things" in refused(two, tenantEnvFile={"path": ".git/${TENANT}"})["tenantEnvFile.path"]
    assert "did you mean 'monopilot'" in refused(two, tenantEnvFile={"app": "monopilots"})["tenantEnvFile.app"]
    assert refused(two, tenantEnvFile={"variables": {"a.b": "1"}}).keys() == {'tenantEnvFile.variables["a.b"]'}


def test_lifetimes_and_tasks() -> None:
    cache = {"lifetimes": {"productCatalog": "5m", "aBC": "1h", "aBc": "2h"}}
    assert "CACHE_TTL_A_BC" in refused([], cache=cache)["cache.lifetimes.aBc"]
    tasks = {"a": {}, "b": {"schedule": "0 3 * * *", "sql": "select 1", "function": "f"}, "c": {"enabled": False}}
    said = refused([], supabase={"database": {"schedule": tasks}})
    assert {path.removeprefix("supabase.database.schedule.") for path in said} == {"a.schedule", "a.sql", "b.sql"}


def test_what_is_worth_saying_is_said_once_for_all() -> None:
    tenants = [enterprise(f"t{n}", "abcdefghijklmnopqrs" + letter, compliance=["hipaa"]) for n, letter in enumerate("abcdefg")]
    said = given(tenants, {tenant["id"]: OF_ACME for tenant in tenants}).warnings
    assert sum("compliance" in line for line in said) == 1
    assert any("t0, t1, t2, t3, t4 and 2 more" in line for line in said)
    assert any("tenantEnvFile names no app" in line for line in said)
    assert any("tenantEnvFile has no effect" in line for line in given([], tenantEnvFile={"app": "nextjs"}).warnings)
