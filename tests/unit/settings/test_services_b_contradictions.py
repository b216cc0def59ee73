"""What the settings of Realtime, functions and logs can't say together, and what is warned of; where the daemon's socket is."""

import pytest

from components.settings import SettingsError, load
from tests.unit.settings.declared import keyed, named


def settings(supabase=None, **more):
    return load(keyed({"supabase": supabase or {}, **more}), stack="dev")


def test_a_table_stands_in_the_list_once():
    with pytest.raises(SettingsError) as caught:
        settings({"realtime": {"tables": ["public.a", "public.b", "public.a"]}})
    (problem,) = caught.value.problems
    assert named(problem.path) == "supastack:supabase.realtime.tables[2]"


@pytest.mark.parametrize(
    ("supabase", "more", "said"),
    [
        ({"gateway": {"enabled": False}, "studio": {"enabled": False}}, {}, "functions are not told where it is"),
        ({"realtime": {"enabled": False, "tables": ["public.a"]}}, {}, "realtime.tables has no effect"),
        ({"analytics": {"enabled": True}}, {}, "nobody brings the services' logs"),
        (
            {"functions": {"folder": "functions"}},
            {"docker": {"host": "tcp://10.0.0.5:2376"}},
            "functions.folder is a folder of the machine",
        ),
    ],
)
def test_what_has_no_effect_or_is_missing_is_said(supabase, more, said):
    assert any(said in line for line in settings(supabase, **more).warnings)
    assert not any(said in line for line in settings().warnings)


@pytest.mark.parametrize(
    ("docker", "socket"),
    [
        ({}, "/var/run/docker.sock"),
        ({"host": "unix:///run/user/1000/docker.sock"}, "/run/user/1000/docker.sock"),
        ({"host": "tcp://10.0.0.5:2376"}, "/var/run/docker.sock"),
        ({"host": "tcp://10.0.0.5:2376", "socket": "/run/podman/podman.sock"}, "/run/podman/podman.sock"),
        ({"host": "unix:///a.sock", "socket": "/b.sock"}, "/b.sock"),
    ],
)
def test_the_socket_is_the_settings_own_or_the_hosts_or_the_usual_one(docker, socket):
    assert settings(docker=docker).docker.socket == socket
