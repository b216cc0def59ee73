"""What is said of services that a release has no image of."""

import pytest

from components import secret_settings, supabase_stack
from components.absent_services import notes, refusals
from components.releases import ImageOverrides, load
from components.services import secret_names
from components.supabase_settings.override import SERVICES
from tests.unit.components.placements import placement


@pytest.fixture
def release():
    return load("2024-01", local=False)


def test_what_is_asked_for_and_not_there_is_refused_with_the_way_out(release):
    (problem,) = refusals(release, {"pooler", "auth", "gateway"})
    for part in (
        "supastack:supabase.pooler.enabled",
        "release 2024-01 has no image of pooler",
        "supastack:images.overrides.pooler",
    ):
        assert part in problem


def test_what_is_on_by_default_and_not_there_is_left_out_and_said(release):
    said = notes(release, SERVICES, {"pooler"})
    assert [line.split()[0] for line in said] == ["analytics", "functions", "vector"]
    assert "functions is left out: release 2024-01 has no image of functions" in said[1]


def test_an_image_of_the_users_own_is_there():
    over = load("2024-01", local=False, overrides=ImageOverrides(references={"pooler": "supabase/supavisor:1.1.56"}))
    assert refusals(over, {"pooler"}) == []
    assert notes(over, {"pooler"}, set()) == []


def test_nothing_is_said_where_all_is_there():
    whole = load("2026-09", local=False)
    assert refusals(whole, SERVICES) == []
    assert notes(whole, SERVICES, set()) == []


GIVEN = {
    "services": {"studio": {"env": {"A": "b"}}, "mail": {"memory": "64mb"}, "auth": {"env": {"A": "b"}}, "vector": {}},
    "gateway": {"mcp": True},
}


def said_of(settings, **over):
    secrets = {secret_names.of_service(service, "KEY"): "" for service in ("auth", "vector")}
    return supabase_stack.notes({"placement": placement(local_images=False, **over), "settings": settings, "secrets": secrets})


def test_what_is_set_for_a_service_that_does_not_run_is_said_to_have_no_effect():
    off = {"studio": {"enabled": False}, "mail": {"enabled": False}}
    assert said_of({**GIVEN, **off}) == [
        "supastack:supabase.services.mail has no effect: mail is not part of this stack",
        "supastack:supabase.services.studio has no effect: studio is not part of this stack",
        "supastack:serviceSecrets.vector has no effect: vector is not part of this stack",
        "supastack:supabase.gateway.mcp has no effect: studio is not part of this stack",
    ]


def test_what_is_set_for_a_service_that_runs_is_not_spoken_of():
    logs = {"analytics": {"enabled": True}, "vector": {"enabled": True}}
    assert said_of({**GIVEN, **logs}) == []


OWN = {name: f"own-{name}" for name in secret_settings.SINGLE.values()}


def with_all(release):
    """A stack with all services that the release has, and a secret of the user's own for everything."""
    on = {name: {"enabled": True} for name in ("analytics", "vector") if load(release, local=False).has(name)}
    return {"placement": placement(local_images=False, release=release), "settings": on, "secrets": OWN}


def used(release):
    """The secret settings that services are given, or that their secrets are made of."""
    made = supabase_stack.services(with_all(release))
    given = {secret for service in made if not service.off for secret in service.secrets}
    given |= {secret for text in supabase_stack.outputs(with_all(release), made).values() for secret in text.secrets}
    if secret_names.JWT_JWKS in given:
        given.add(secret_names.SIGNING_KEY)
    return {setting for setting, name in secret_settings.SINGLE.items() if name in given}


@pytest.mark.parametrize("release", ["2024-01", "2024-05", "2026-09"])
def test_a_secret_of_the_users_own_is_said_to_have_no_effect_where_older_services_are_not_given_it(release):
    absent = {"vaultEncKey": "pooler", "logflarePublicAccessToken": "analytics"}
    here = load(release, local=False)
    expected = {name for name in used("2026-09") - used(release) if name not in absent or here.has(absent[name])}
    said = [line for line in supabase_stack.notes(with_all(release)) if "has no effect" in line]
    assert {line.removeprefix("supastack:").split()[0] for line in said} == expected
    assert all(release in line for line in said)


@pytest.mark.parametrize(
    ("release", "chosen", "said"), [("2024-05", True, True), ("2024-05", None, False), ("2026-09", True, False)]
)
def test_a_key_of_es256_that_was_asked_for_and_can_not_be_is_said(release, chosen, said):
    settings = {} if chosen is None else {"keys": {"asymmetric": chosen}}
    found = supabase_stack.notes({"placement": placement(local_images=False, release=release), "settings": settings})
    assert any("keys.asymmetric has no effect" in line for line in found) is said


def test_sb_keys_of_the_users_own_have_no_effect_where_they_are_turned_off():
    own = {"placement": placement(local_images=False), "settings": {"keys": {"asymmetric": False}}, "secrets": OWN}
    assert [line.split()[0] for line in supabase_stack.notes(own)] == [
        "supastack:publishableKey",
        "supastack:secretKey",
        "supastack:signingKey",
    ]


@pytest.mark.parametrize(
    ("engine", "local", "said"), [("cloudnativepg", True, 1), ("cloudnativepg", False, 0), ("builtin", True, 0)]
)
def test_a_vault_root_key_has_no_effect_on_an_image_that_has_no_vault(engine, local, said):
    """Another engine is spoken of with the settings (`database_contradictions`)."""
    args = {"placement": placement(local_images=local), "settings": {"database": {"engine": engine}}, "secrets": OWN}
    assert len([line for line in supabase_stack.notes(args) if "vaultRootKey has no effect" in line]) == said


def test_what_the_supabase_cli_gives_was_not_asked_for_by_name():
    args = {"placement": placement(local_images=False, release="2024-05"), "settings": {}}
    values = {secret_settings.SINGLE[setting]: value for setting, value in secret_settings.cli().items()}
    assert not [line for line in supabase_stack.notes({**args, "secrets": values}) if "has no effect" in line]


def test_a_stack_that_is_off_says_nothing_of_it():
    settings = {"enabled": False, "keys": {"asymmetric": True}}
    assert supabase_stack.notes({"placement": placement(release="2024-05"), "settings": settings, "secrets": OWN}) == []


def test_what_is_set_for_a_service_that_the_release_has_no_image_of_has_no_effect_either():
    said = said_of({"services": {"functions": {"memory": "64mb"}}}, release="2024-01")
    assert "supastack:supabase.services.functions has no effect: functions is not part of this stack" in said
