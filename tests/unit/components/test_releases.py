"""What the release files hold, and what the settings make of their images."""

import re

import pytest

from components import releases
from components.identity import refusal
from components.image_reference import parse
from components.plan import Plan
from components.releases import GatewayKind, ImageOverrides, UnknownImage, load
from components.settings import load as load_settings

DIGEST = "sha256:" + "ab" * 32
MIRROR = "mirror.example.com/hub"
# Beside the Supabase set: every release must have them, or a stack file could not change its release.
ALWAYS = {
    "valkey",
    "redis",
    "seaweedfs",
    "rustfs",
    "minio",
    "s3-client",
    "mail",
    "pgbouncer",
    "plain-postgres",
    "redis-commander",
}

each = pytest.mark.parametrize("name", releases.names())


def image(role, *, name="2026-09", local=False, **over):
    return load(name, local=local, overrides=ImageOverrides(**over)).image(role)


def test_there_are_three_releases_and_the_default_is_one():
    assert releases.names() == ["2024-01", "2024-05", "2026-09"]
    assert releases.DEFAULT in releases.names()


@each
def test_every_image_of_a_release_is_written_out_in_full_with_a_tag(name):
    for role in releases.roles():
        held = load(name, local=False).image_if_any(role)
        if held.reference:
            assert str(parse(held.reference)) == held.reference, role
            assert parse(held.reference).tag, role
            assert held.kind == "registry", role


@each
def test_every_release_has_what_stands_beside_the_supabase_set(name):
    release = load(name, local=False)
    assert {role for role in ALWAYS if release.has(role)} == ALWAYS


@each
def test_no_image_is_one_that_its_owner_has_withdrawn(name):
    # MinIO's own answer 401 on both, since September 2026 (docs/decisions/0005).
    gone = ("docker.io/minio/", "quay.io/minio/")
    release = load(name, local=False)
    assert [r for r in map(release.image_if_any, releases.roles()) if r.reference.startswith(gone)] == []


@each
def test_the_gateway_and_the_pooler_are_there_as_the_features_say(name):
    release = load(name, local=False)
    assert release.has(release.features.gateway)
    assert [kind for kind in GatewayKind if release.has(kind)] == [release.features.gateway]
    assert release.has("pooler") is release.features.pooler


@each
def test_the_major_version_is_the_one_of_the_image(name):
    release = load(name, local=False)
    assert parse(release.image("postgres").reference).tag.startswith(f"{release.postgres_major}.")


def test_what_a_seed_does_not_name_is_not_there_and_says_so():
    release = load("2024-01", local=False)
    for role in ("functions", "analytics", "vector", "pooler"):
        assert not release.has(role)
        with pytest.raises(UnknownImage, match=rf"2024-01 has no image of {role}.*images\.overrides\.{role}"):
            release.image(role)


@each
def test_local_images_do_not_give_a_release_what_it_has_not_got(name):
    here, there = load(name, local=True), load(name, local=False)
    assert {role for role in releases.roles() if here.has(role)} <= {role for role in releases.roles() if there.has(role)}
    assert here.features == there.features


def test_a_role_that_can_not_be_built_here_says_so():
    with pytest.raises(UnknownImage, match=r"seaweedfs can be built on this machine.*imageSource to registry"):
        load("2026-09", local=True).image("seaweedfs")


def test_a_release_that_does_not_exist_names_those_that_do():
    with pytest.raises(UnknownImage, match="2024-01, 2024-05, 2026-09"):
        load("2025-01", local=False)


# -- the settings -----------------------------------------------------------------------------------------------------


@each
def test_a_mirror_stands_before_every_image_of_a_registry(name):
    release = load(name, local=False, overrides=ImageOverrides(mirror=MIRROR))
    plain = load(name, local=False)
    for role in filter(release.has, releases.roles()):
        assert release.image(role).reference == plain.image(role).reference.replace("docker.io/", f"{MIRROR}/", 1)


def test_docker_hubs_own_images_keep_their_folder_behind_a_mirror():
    assert image("redis", mirror=MIRROR).reference == f"{MIRROR}/library/redis:8.0.3"


def test_local_images_are_not_mirrored_and_have_no_digest():
    plain = load("2026-09", local=True)
    assert image("postgres", local=True, mirror=MIRROR, digests={"postgres": DIGEST}) == plain.image("postgres")
    assert image("auth", local=True, mirror=MIRROR) == plain.image("auth")


def test_a_digest_comes_after_the_mirror():
    assert image("auth", mirror=MIRROR, digests={"auth": DIGEST}).reference == f"{MIRROR}/supabase/gotrue:v2.196.0@{DIGEST}"


@pytest.mark.parametrize("local", [True, False])
def test_a_reference_wins_over_everything_and_is_not_mirrored(local):
    found = image("auth", local=local, mirror=MIRROR, references={"auth": "ghcr.io/me/gotrue:1"})
    assert (found.reference, found.kind, found.role) == ("ghcr.io/me/gotrue:1", "registry", "auth")


def test_a_reference_can_name_an_image_that_is_built_here():
    assert image("auth", references={"auth": "supastack.local/stub:1"}).kind == "stub"
    assert image("meta", references={"meta": "supastack.local/postgres-meta:0.99"}).kind == "local"


@pytest.mark.parametrize("reference", ["supastack.local/stub:9", "supastack.local/mine:1", "supastack.local/stub"])
def test_an_image_that_is_to_be_built_here_and_that_no_recipe_makes_is_refused_with_its_setting(reference):
    with pytest.raises(UnknownImage, match="none of them") as refused:
        image("auth", references={"auth": reference})
    for part in (f"supastack:images.overrides.auth = {reference}", "supastack.local/stub:1"):
        assert part in str(refused.value)


def test_a_reference_gives_a_release_what_it_has_not_got():
    over = ImageOverrides(references={"pooler": "supabase/supavisor:1.1.56"})
    release = load("2024-05", local=False, overrides=over)
    assert release.has("pooler")
    assert release.image("pooler").reference == "docker.io/supabase/supavisor:1.1.56"
    assert load("2024-05", local=True, overrides=over).has("pooler")


def test_a_reference_and_a_digest_go_together():
    found = image("auth", references={"auth": "ghcr.io/me/gotrue:1"}, digests={"auth": DIGEST})
    assert found.reference == f"ghcr.io/me/gotrue:1@{DIGEST}"


@pytest.mark.parametrize(
    ("reference", "major"),
    [
        ("docker.io/supabase/postgres:15.8.1.085", 15),
        ("postgres:16-alpine", 16),
        ("me/postgres:17", 17),
        ("me/postgres:latest", 17),
    ],
)
def test_another_database_image_brings_its_major_version(reference, major):
    over = ImageOverrides(references={"postgres": reference})
    assert load("2026-09", local=False, overrides=over).postgres_major == major


def test_another_database_image_runs_as_nobody_knows_whom():
    assert load("2026-09", local=True).image("postgres").user == 999
    other = load("2026-09", local=True, overrides=ImageOverrides(references={"postgres": "a/b:17"}))
    assert other.image("postgres").user is None
    assert "postgres" not in other.users
    assert other.image("valkey").user == 999


@pytest.mark.parametrize("group", ["references", "digests"])
def test_an_unknown_role_is_refused_with_those_that_are_known(group):
    with pytest.raises(UnknownImage) as refused:
        image("auth", **{group: {"gotrue": "a/b:1"}})
    assert re.search(r"images\.(overrides|digests) names gotrue", str(refused.value))
    assert "analytics, auth, envoy" in str(refused.value)


def volumes(release):
    """A stack's volumes by name, with a registry's images."""
    settings = load_settings({"supastack:release": release, "supastack:imageSource": "registry"}, stack="shop")
    return {volume.name: volume for volume in Plan(settings).volumes}


@pytest.mark.parametrize(
    ("held", "wanted", "refused"),
    [
        ("2024-05", "2026-09", "postgres-15, which postgres-17 can't read"),
        ("2026-09", "2024-05", "postgres-17, which postgres-15 can't read"),
        ("2024-01", "2024-05", None),
        ("2024-05", "2024-01", None),
    ],
)
def test_another_release_gets_every_volume_but_a_database_of_another_major_version(held, wanted, refused):
    before, after = volumes(held), volumes(wanted)
    problems = {
        name: refusal(name, before[name].identity, volume.identity, volume.setting)
        for name, volume in after.items()
        if name in before
    }
    data = "supastack-shop-supabase-postgres-data"
    if refused is None:
        assert set(problems.values()) == {None}
        return
    assert {name for name, problem in problems.items() if problem} == {data, data.replace("-data", "-config")}
    for part in (refused, "supastack:release", "pg_dumpall", "/etc/postgresql-custom", f"docker volume rm {data}"):
        assert part in problems[data]
    assert ("upgrade-pg17.sh" in problems[data]) is (held == "2024-05")
