"""What the edge functions' runtime and its router are told. The router itself: tests/integration/functions."""

import json
from pathlib import Path

import pytest

from components.service import Gate
from components.services import functions, secret_names
from components.supabase_settings.functions import OF_THE_ROUTER
from tests.unit.components.services.making import edges, env, made, written


def config(service):
    """What the router's config.js says."""
    text = next(written(file.content) for file in service.files if file.path.endswith("/config.js"))
    return json.loads(text.removeprefix("export default ").removesuffix(";\n"))


def test_the_router_lies_outside_of_what_the_user_mounts():
    for settings in ({}, {"functions": {"folder": "supabase/functions"}}):
        service = made("functions", settings)
        hidden = (*service.volumes, *service.folders)
        assert not any(file.path.startswith(f"{held.path}/") for file in service.files for held in hidden)
        assert service.command[-2:] == ("--main-service", functions.ROUTER)
        assert f"{functions.ROUTER}/index.ts" in {file.path for file in service.files}


def test_the_router_imports_nothing_but_its_own_files():
    service = made("functions")
    for file in service.files:
        for line in written(file.content).splitlines():
            if line.startswith("import "):
                assert '"./' in line, line
                assert f"{functions.ROUTER}/{line.split('./')[1].rstrip(';').rstrip(chr(34))}" in {f.path for f in service.files}


def test_no_secret_stands_in_the_routers_files():
    service = made("functions", secrets=[secret_names.function("STRIPE_KEY")])
    assert not any(file.content.secrets for file in service.files)


def test_without_a_folder_the_functions_lie_on_a_volume_that_is_kept():
    service = made("functions")
    assert {v.name: (v.path, v.precious) for v in service.volumes} == {
        "functions-code": (functions.FOLDER, True),
        "deno-cache": ("/root/.cache/deno", False),
    }
    assert service.folders == ()


def test_a_folder_of_the_settings_is_read_from_the_projects_and_can_not_be_written():
    service = made("functions", {"functions": {"folder": "../shop/./functions"}}, root="/work/project")
    (folder,) = service.folders
    assert (folder.source, folder.path, folder.read_only) == ("/work/shop/functions", functions.FOLDER, True)
    assert {v.name: (v.path == functions.FOLDER, v.precious) for v in service.volumes} == {
        "functions-code": (False, True),
        "deno-cache": (False, False),
    }
    absolute = made("functions", {"functions": {"folder": "/srv/functions"}}, root="/work/project")
    assert absolute.folders[0].source == "/srv/functions"


def test_without_a_root_a_folder_is_looked_for_where_the_program_runs():
    assert made("functions", {"functions": {"folder": "f"}}).folders[0].source == str(Path.cwd() / "f")


def test_the_users_secrets_are_for_the_functions():
    service = made("functions", secrets=[secret_names.function("STRIPE_KEY"), secret_names.of_service("functions", "MORE")])
    assert env(service)["STRIPE_KEY"] == "{function-STRIPE_KEY}"
    assert config(service)["environment"] == ["MORE", "STRIPE_KEY"]


def test_a_variable_for_the_service_is_for_the_functions_too():
    service = made("functions", {"services": {"functions": {"env": {"GREETING": "hello"}}}})
    assert config(service)["environment"] == ["GREETING"]


@pytest.mark.parametrize("name", ["JWT_SECRET", "VERIFY_JWT"])
def test_what_the_router_goes_by_is_never_given_to_functions_nor_taken_from_the_user(name):
    service = made("functions", secrets=[secret_names.function(name)])
    assert config(service)["environment"] == []
    assert env(service)[name] != f"{{function-{name}}}"
    over = made("functions", secrets=[secret_names.of_service("functions", name)])
    assert config(over)["environment"] == []


def test_no_variable_of_the_router_can_be_a_functions_secret():
    own = set(env(made("functions")))
    assert own == {name for name in own if name.startswith("SUPABASE_")} | set(OF_THE_ROUTER)


def test_which_functions_need_a_token_is_told_for_all_and_for_each():
    settings = {"verifyJwt": False, "each": {"hello": {"verifyJwt": True}, "hook": {}, "old": {"enabled": False}}}
    service = made("functions", {"functions": settings})
    assert env(service)["VERIFY_JWT"] == "false"
    assert config(service)["verifyJwt"] == {"hello": True, "hook": False, "old": False}
    assert config(service)["off"] == ["old"]


def test_a_token_is_needed_unless_the_settings_say_otherwise():
    assert env(made("functions"))["VERIFY_JWT"] == "true"


def test_the_limits_of_a_worker_are_in_the_routers_units():
    settings = {"memoryLimit": "256mb", "timeout": 90, "cpuSoftLimit": 0, "cpuHardLimit": 500, "requestIdleTimeout": 20}
    service = made("functions", {"functions": settings})
    assert config(service)["limits"] == {
        "memoryLimitMb": 256,
        "workerTimeoutMs": 90000,
        "cpuTimeSoftLimitMs": 0,
        "cpuTimeHardLimitMs": 500,
    }
    assert service.command[1:3] == ("--user-worker-request-idle-timeout", "20000")
    assert config(made("functions"))["limits"] == {"memoryLimitMb": 150, "workerTimeoutMs": 60000}


def test_the_container_has_room_for_a_function_at_its_limit():
    for limit, mib in (("150mb", 150), ("1gb", 1024)):
        assert made("functions", {"functions": {"memoryLimit": limit}}).resources.memory_mib > mib
    chosen = {"services": {"functions": {"memory": "512mb"}}}
    assert made("functions", chosen).resources.memory_mib == 512


def test_new_keys_are_given_with_the_one_switch_for_all():
    on, off = env(made("functions")), env(made("functions", {"keys": {"asymmetric": False}}))
    assert on["SUPABASE_PUBLISHABLE_KEYS"] == '{"default":"{publishable-key}"}'
    assert not {"SUPABASE_JWKS", "SUPABASE_PUBLISHABLE_KEYS", "SUPABASE_SECRET_KEYS"} & set(off)


def test_the_gateway_and_the_functions_do_not_wait_for_each_other():
    service = made("functions")
    assert {edge.gate for edge in service.connects} == {Gate.NONE}
    assert edges(service) == {"gateway", "postgres"}


def test_without_a_gateway_there_is_no_url_of_the_api():
    service = made("functions", {"gateway": {"enabled": False}, "studio": {"enabled": False}})
    assert "SUPABASE_URL" not in env(service)
    assert edges(service) == {"postgres"}


def test_studio_sees_the_functions_wherever_they_are():
    volume, folder = made("studio"), made("studio", {"functions": {"folder": "f"}}, root="/work")
    assert [(mount.volume, mount.read_only) for mount in volume.mounts] == [("functions-code", True)]
    assert [(held.source, held.read_only) for held in folder.folders] == [("/work/f", True)]
