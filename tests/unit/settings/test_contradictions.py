"""What settings can't say together, what is only warned of, and what the result holds."""

from pathlib import Path
from typing import Any

import pytest

from components.setting_types import ImageSource, ObjectStorageEngine, Target
from components.settings import Ciphertext, Settings, SettingsError, load
from tests.unit.settings.declared import EXTERNAL_STORE, OWN_STORE, keyed, named, put
from tests.unit.settings.samples import HIDDEN

ROOT = Path("/srv/project")
# The full configurations would need secrets of other groups.
EXTERNAL = {"objectStorage": EXTERNAL_STORE["objectStorage"]}


def _load(config: dict[str, Any], *, stack: str = "dev", secret_keys: tuple[str, ...] = ()) -> Settings:
    return load(keyed(config), stack=stack, secret_keys=secret_keys, root=ROOT)


def _problems(config: dict[str, Any], **more: Any) -> dict[str, str]:
    """Return key and text of what is wrong."""
    with pytest.raises(SettingsError) as caught:
        _load(config, **more)
    found = {
        named(problem.path).removeprefix("supastack:"): f"{problem.reason}; {problem.fix}" for problem in caught.value.problems
    }
    assert len(found) == len(caught.value.problems), "one place is reported twice"
    return found


def test_an_external_store_needs_its_address_and_both_keys() -> None:
    found = _problems({"objectStorage": {"engine": "external"}})
    assert found.keys() == {"objectStorage.endpoint", "objectStorage.accessKey", "objectStorageSecretKey"}
    assert "pulumi config set --secret supastack:objectStorageSecretKey" in found["objectStorageSecretKey"]


def test_an_external_store_that_is_turned_off_needs_nothing() -> None:
    assert not _load({"objectStorage": {"engine": "external", "enabled": False}}).object_storage.enabled


def test_an_external_store_with_a_plain_secret_key_is_told_once() -> None:
    found = _problems({**EXTERNAL, "objectStorageSecretKey": f"{HIDDEN}-key"})
    assert found.keys() == {"objectStorageSecretKey"}
    assert "exposed" in found["objectStorageSecretKey"]


def test_an_encrypted_secret_key_that_can_not_be_read_counts_as_given() -> None:
    settings = _load({**EXTERNAL, "objectStorageSecretKey": Ciphertext()})
    assert settings.object_storage.engine is ObjectStorageEngine.EXTERNAL
    assert settings.object_storage.endpoint == "https://s3.example.com"
    assert "objectStorageSecretKey" not in settings.secrets


def test_an_address_for_a_store_of_the_stacks_own_is_refused() -> None:
    assert _problems({"objectStorage": {"engine": "minio", "endpoint": "https://x.example"}}).keys() == {"objectStorage.endpoint"}


@pytest.mark.parametrize(("engine", "fallback"), [("minio", "minio"), ("minio", "external"), ("seaweedfs", "seaweedfs")])
def test_a_fallback_is_another_server_of_the_stacks_own(engine: str, fallback: str) -> None:
    found = _problems({"objectStorage": {"engine": engine, "fallback": fallback}})
    assert found.keys() == {"objectStorage.fallback"}


def test_an_external_store_has_no_fallback() -> None:
    config = put(EXTERNAL, ("objectStorage", "fallback"), "minio")
    found = _problems({**config, "objectStorageSecretKey": f"{HIDDEN}-key"}, secret_keys=("supastack:objectStorageSecretKey",))
    assert found.keys() == {"objectStorage.fallback"}


def test_a_bucket_that_is_named_twice_is_refused() -> None:
    assert _problems({"objectStorage": {"buckets": ["app", "logs", "app"]}}).keys() == {"objectStorage.buckets[2]"}


def test_a_port_that_two_names_hold_is_reported_at_each_that_was_moved() -> None:
    found = _problems({"ports": {"app": 54322, "api": 40000, "studio": 40000}})
    assert found.keys() == {"ports.app", "ports.api", "ports.studio"}
    assert "postgres" in found["ports.app"]
    assert "studio" in found["ports.api"]


def test_a_port_is_compared_with_the_plan_of_its_own_instance() -> None:
    assert _load({"instance": 2, "ports": {"app": 54322}}).ports["app"] == 54322
    assert _problems({"instance": 2, "ports": {"app": 55322}}).keys() == {"ports.app"}


def test_ports_that_clash_are_found_beside_one_that_is_wrong_by_itself() -> None:
    assert _problems({"ports": {"app": 54322, "api": 0}}).keys() == {"ports.app", "ports.api"}


def test_the_apps_port_can_be_named_in_one_place_or_alike_in_both() -> None:
    assert _load({"app": {"port": 3100}}).ports["app"] == 3100
    assert _load({"ports": {"app": 3100}}).app.port == 3100
    assert _load({"app": {"port": 3100}, "ports": {"app": 3100}}).app.port == 3100
    assert _problems({"app": {"port": 3100}, "ports": {"app": 3200}}).keys() == {"app.port"}
    assert _problems({"app": {"port": 54322}}).keys() == {"app.port"}


@pytest.mark.parametrize("instance", [13, 100, 9999])
def test_an_instance_without_planned_ports_needs_ports_of_its_own(instance: int) -> None:
    assert _problems({"instance": instance}).keys() == {"instance"}
    assert _problems({"instance": instance, "ports": {"app": 3000}}).keys() == {"instance"}
    settings = _load({"instance": instance, "ports": "auto"})
    assert settings.instance == instance
    assert all(20100 <= port <= 29999 for port in settings.ports.values())


def test_auto_ports_take_overrides() -> None:
    settings = _load({"ports": {"auto": True, "app": 3000}})
    assert settings.ports["app"] == 3000
    assert settings.ports["postgres"] == _load({"ports": "auto"}).ports["postgres"]


def test_a_cache_larger_than_its_memory_is_refused() -> None:
    assert _problems({"cache": {"memory": "64mb"}}).keys() == {"cache.maxMemory"}
    assert _load({"cache": {"memory": "128mb"}}).cache.max_memory == 128 << 20


@pytest.mark.parametrize("name", ["sharedBuffers", "workMem", "maintenanceWorkMem"])
def test_a_database_buffer_larger_than_its_memory_is_refused(name: str) -> None:
    found = _problems({"supabase": {"database": {"memory": "256mb", name: "257mb"}}})
    assert found.keys() == {f"supabase.database.{name}"}
    assert "supabase.database.memory = 256mb" in found[f"supabase.database.{name}"]


@pytest.mark.parametrize("path", [None, ".env", "./.env", "x/../.env", str(ROOT / ".env")])
def test_two_apps_can_not_share_an_env_file(path: str | None) -> None:
    second = {} if path is None else {"path": path}
    found = _problems({"envFiles": {"nextjs": {}, "shop": second}})
    assert found.keys() == {"envFiles.shop.path"}
    assert "nextjs" in found["envFiles.shop.path"]


@pytest.mark.parametrize(
    "path", ["Pulumi.yaml", "Pulumi.dev.yaml", ".git/config", ".supastack/passphrase", ".venv/x", "x/../.git/hooks"]
)
def test_an_env_file_is_never_put_over_the_projects_own_files(path: str) -> None:
    assert _problems({"envFiles": {"nextjs": {"path": path}}}).keys() == {"envFiles.nextjs.path"}


@pytest.mark.parametrize("release", ["2019-01", "2099-12"])
def test_a_release_that_does_not_exist_is_refused_with_those_that_do(release: str) -> None:
    found = _problems({"release": release})
    assert found.keys() == {"release"} or "2026-09" in found["release"]


def test_a_contradiction_is_not_claimed_of_a_setting_that_is_wrong_by_itself() -> None:
    assert _problems({"cache": {"memory": "lots", "maxMemory": "4tb"}}).keys() == {"cache.memory"}
    assert _problems({"objectStorage": {"engine": "s3", "endpoint": "https://x.example"}}).keys() == {"objectStorage.engine"}
    assert _problems({"cache": 5, "instance": "x", "ports": [], "envFiles": None}).keys() == {
        "cache",
        "instance",
        "ports",
        "envFiles",
    }


# -- other namespaces ------------------------------------------------------------------------------------------------


def test_other_namespaces_are_left_alone_and_mistyped_ones_are_not() -> None:
    assert load({"pulumi:tags": "{}", "aws:region": "eu-central-1"}, stack="dev").warnings == ()
    with pytest.raises(SettingsError, match=r"supastak:target\b(.|\n)*did you mean supastack:target"):
        load({"supastak:target": "docker"}, stack="dev")


def test_a_providers_own_namespace_is_said_to_have_no_effect() -> None:
    (said,) = load({"docker:host": f"tcp://{HIDDEN}"}, stack="dev").warnings
    assert "docker:host has no effect" in said
    assert HIDDEN not in said


def test_a_key_without_a_namespace_is_the_projects_as_for_the_engine() -> None:
    assert load({"instance": 3}, stack="dev").instance == 3
    assert load({"supastack:config:instance": 3}, stack="dev").instance == 3


def test_a_project_of_another_name_has_its_settings_under_that_name() -> None:
    assert load({"shop:instance": "4"}, project="shop", stack="dev").instance == 4
    with pytest.raises(SettingsError, match=r"shop:instance = 0"):
        load({"shop:instance": "0"}, project="shop", stack="dev")


# -- warnings --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"bindAddress": "0.0.0.0"}, "supastack:bindAddress is 0.0.0.0"),
        ({"bindAddress": "::"}, "supastack:bindAddress is ::"),
        ({"ports": {"app": 80}}, "supastack:ports.app is 80"),
        ({"cache": {"maxMemory": "256mb"}}, "supastack:cache.maxMemory leaves less than a quarter"),
        ({"envFiles": {"nextjs": {"path": "../shop/.env"}}}, "outside the project's folder"),
        ({"supabase": {"enabled": False}}, "supastack:supabase.enabled is false"),
        ({name: {"enabled": False} for name in ("supabase", "cache", "objectStorage")}, "nothing to deploy"),
    ],
)
def test_what_is_allowed_but_risky_is_said(config: dict[str, Any], said: str) -> None:
    (warning,) = _load(config).warnings
    assert said in warning
    assert "\n" not in warning


def test_an_external_store_without_tls_is_said_unless_it_is_on_this_machine() -> None:
    secret = {"objectStorageSecretKey": Ciphertext()}
    far = put(EXTERNAL, ("objectStorage", "endpoint"), "http://s3.example.com")
    near = put(EXTERNAL, ("objectStorage", "endpoint"), "http://127.0.0.1:9000")
    assert any("unencrypted" in warning for warning in _load({**far, **secret}).warnings)
    assert not any("unencrypted" in warning for warning in _load({**near, **secret}).warnings)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.2", "::1"])
def test_an_address_of_this_machine_alone_is_not_warned_of(address: str) -> None:
    assert _load({"bindAddress": address}).warnings == ()


UNCONFIRMED = {"auth": {"email": {"enableConfirmations": False}}}


@pytest.mark.parametrize(
    ("supabase", "read"),
    [({}, True), ({"mail": {"enabled": False}, **UNCONFIRMED}, False), ({"enabled": False}, False)],
)
def test_an_address_that_others_reach_shows_them_the_mails_where_the_mail_catcher_runs(
    supabase: dict[str, Any], read: bool
) -> None:
    said = _load({"bindAddress": "0.0.0.0", "supabase": {**supabase}}).warnings
    (warning,) = [line for line in said if "supastack:bindAddress" in line]
    assert ("mail catcher, which has no login: password resets" in warning) is read


# -- the result ------------------------------------------------------------------------------------------------------


def test_a_stack_without_settings_has_the_defaults() -> None:
    settings = _load({})
    assert (settings.project, settings.stack, settings.target, settings.instance) == ("supastack", "dev", Target.DOCKER, 1)
    assert settings.image_source is None
    assert settings.ports["app"] == 3025
    assert settings.app.port == 3025
    assert settings.supabase.database.shared_buffers == 128 << 20
    assert settings.cache.max_memory == 128 << 20
    assert settings.object_storage.fallback is None
    assert settings.env_files["nextjs"].path == ROOT / ".env"
    assert settings.secrets == {}
    assert settings.warnings == ()


def test_the_env_file_of_a_further_instance_is_named_after_the_stack() -> None:
    assert _load({"instance": 2}, stack="dev-2").env_files["nextjs"].path == ROOT / ".env.dev-2"
    assert _load({"envFiles": {}}).env_files == {}
    assert _load({"envFiles": {"nextjs": {"path": "/srv/shop/.env"}}}).env_files["nextjs"].path == Path("/srv/shop/.env")


def test_an_image_source_that_is_not_chosen_is_none() -> None:
    assert _load({"imageSource": ""}).image_source is None
    assert _load({"imageSource": "local"}).image_source is ImageSource.LOCAL


def test_a_group_is_given_to_a_component_as_a_user_writes_it_and_can_be_changed_there() -> None:
    settings = _load({"cache": OWN_STORE["cache"]})
    given = settings.given("cache")
    assert given == OWN_STORE["cache"]
    given["engine"] = "valkey"
    assert settings.given("cache")["engine"] == "redis"
    assert _load({"cache": {"maxMemory": "64mb"}}).given("cache")["memory"] == "256mb"


def test_settings_do_not_change() -> None:
    settings = _load({})
    with pytest.raises(AttributeError):
        settings.instance = 2  # type: ignore[misc]
    with pytest.raises(TypeError):
        settings.ports["app"] = 1  # type: ignore[index]
