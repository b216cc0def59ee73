"""What the settings of apps can't say, each under its own key with a way out."""

import pytest

from components.settings import SettingsError, load

APP = {"image": "a/b:1", "port": 3000}
CLUSTER = {"kubeconfig": "/k", "context": "c"}


def refused(apps, **more):
    given = {"supastack:apps": apps, **{f"supastack:{name}": value for name, value in more.items()}}
    with pytest.raises(SettingsError) as caught:
        load(given, stack="dev")
    return {".".join(map(str, p.path)): f"{p.reason}; {p.fix}" for p in caught.value.problems}


@pytest.mark.parametrize(
    ("app", "key", "said"),
    [
        ({"port": 3000}, "image", "nothing says what the app is"),
        ({"image": "a/b:1", "healthPath": "/health"}, "healthPath", "listens on no port"),
        ({**APP, "publish": "app", "hostPort": 9999}, "hostPort", "publish says app"),
        ({**APP, "hostPort": 54321}, "hostPort", "it is the port of api too"),
        ({**APP, "env": {"A": "${POLER_URL}"}}, "env.A", "did you mean POOLER_URL?"),
        ({**APP, "env": {"VITE_KEY": "${SERVICE_ROLE_KEY}"}}, "env.VITE_KEY", "what browsers load"),
        ({**APP, "env": {"URL": "x"}, "secrets": {"s": {"keys": {"k": "ULR"}}}}, "secrets.s.keys.k", "did you mean URL?"),
        ({**APP, "secrets": {"s": {"existing": True, "keys": {"k": "URL"}}}}, "secrets.s.existing", "keeps no Secrets"),
        ({**APP, "connects": ["wob"]}, "connects.0", "did you mean web?"),
        ({**APP, "replicas": 3, "autoscaling": {"maxReplicas": 2}}, "autoscaling.maxReplicas", "less than replicas, which is 3"),
        ({**APP, "resources": {"cpuRequest": "2", "cpuLimit": "500m"}}, "resources.cpuRequest", "more than cpuLimit"),
    ],
)
def test_each_is_refused_where_it_stands(app, key, said):
    found = refused({"web": app})
    assert list(found) == [f"apps.web.{key}"]
    assert said in found[f"apps.web.{key}"]


def test_two_apps_have_no_port_no_secret_and_no_public_name_in_common():
    secret = {"s": {"keys": {"k": "A"}}}
    each = {**APP, "publish": "app", "env": {"A": "x"}, "secrets": secret, "host": "a.example.com"}
    exposure = {"kind": "ingress", "host": "api.example.com", "className": "x"}
    found = refused({"one": each, "two": each}, target="kubernetes", kubernetes={**CLUSTER, "exposure": exposure})
    assert set(found) == {"apps.two.publish", "apps.two.secrets.s", "apps.two.host"}


def test_nothing_runs_on_the_managed_target_and_it_says_what_to_do_instead():
    found = refused(
        {"web": APP},
        target="managed",
        supabase={"managed": {"ref": "abcdefghijklmnopqrst"}},
        cache={"enabled": False},
        objectStorage={"enabled": False},
    )
    assert "docker or kubernetes" in found["apps.web"]
    assert "envFiles" in found["apps.web"]


def test_a_public_name_needs_something_that_brings_it():
    found = refused({"web": {**APP, "host": "a.example.com"}}, target="kubernetes", kubernetes=CLUSTER)
    assert "which brings no names to apps" in found["apps.web.host"]


def test_what_has_no_effect_on_docker_is_said():
    given = {"supastack:apps": {"web": {**APP, "replicas": 3, "host": "a.example.com", "healthPath": "/h"}}}
    said = "\n".join(load(given, stack="dev").warnings)
    for text in (
        "apps.web.replicas: on Docker one of it runs",
        "apps.web.host has no effect",
        "apps.web.healthPath is not asked",
    ):
        assert text in said
