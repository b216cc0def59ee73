"""What the probe says of Secrets that the settings take values from, on a faked API server: all of it before anything is made."""

import base64

import pytest

from components.checks import _Given
from components.targets.kubernetes import probe
from components.targets.kubernetes.api import Cluster
from components.targets.kubernetes.existing_probe import existing_problems
from tests.unit.components.targets.kubernetes.api_server import serving

PLACE = "/api/v1/namespaces/platform/secrets/login"
HIDDEN = "Ungues5able"


@pytest.fixture
def api():
    with serving() as fake:
        yield fake


def before(api, folder, setting="cachePassword", **at):
    reference = {"setting": setting, "namespace": "platform", "name": "login", "key": "password", **at}
    told = {
        "kubeconfig": str(api.kubeconfig(folder)),
        "context": "test",
        "namespace": "supastack-dev",
        "namespaces": ["supastack-dev"],
        "instance": "supastack-dev",
        "stack_id": "0123456789abcdef",
        "existing": [_Given(reference)],
    }
    return list(probe.before(_Given(told), preview=True))


def secret(**texts):
    return {"data": {key: base64.b64encode(text.encode()).decode() for key, text in texts.items()}}


def test_a_secret_that_holds_what_the_setting_takes_is_no_problem(api, tmp_path):
    api.objects[PLACE] = secret(password=f"{HIDDEN}@/:?#")
    assert before(api, tmp_path) == []


def test_a_secret_that_is_not_there_is_named_with_how_to_make_it(api, tmp_path):
    (problem,) = before(api, tmp_path)
    assert "there is no Secret login in namespace platform (supastack:kubernetes.existingSecrets.cachePassword)" in problem
    assert "kubectl -n platform create secret generic login --from-file=password=FILE" in problem
    assert "first up" not in problem


def test_one_secret_of_several_settings_is_made_by_one_command(api, tmp_path):
    told = [_Given({"setting": s, "namespace": "p", "name": "login", "key": k}) for s, k in (("tlsKey", "b"), ("jwtSecret", "a"))]
    (problem,) = existing_problems(told, "supastack-dev", Cluster(api.kubeconfig(tmp_path), "test"))
    assert "existingSecrets.tlsKey, supastack:kubernetes.existingSecrets.jwtSecret" in problem
    assert "--from-file=a=FILE --from-file=b=FILE`" in problem


def test_one_in_the_stacks_own_namespace_can_not_be_there_at_the_first_up(api, tmp_path):
    (problem,) = before(api, tmp_path, namespace="supastack-dev")
    assert "The stack makes namespace supastack-dev at its first up" in problem


def test_a_secret_that_may_not_be_read_is_named_with_the_right_it_takes(api, tmp_path):
    api.refused[PLACE] = 403
    (problem,) = before(api, tmp_path)
    assert "Secret login in namespace platform can't be read" in problem
    assert "lets this user `get` it" in problem


def test_a_key_that_is_not_in_it_is_named_with_those_that_are(api, tmp_path):
    api.objects[PLACE] = secret(user="me", other=HIDDEN)
    (problem,) = before(api, tmp_path)
    assert "it has no key password; it has: other, user" in problem
    assert HIDDEN not in problem
    api.objects[PLACE] = {}
    (problem,) = before(api, tmp_path)
    assert "it has: none" in problem


@pytest.mark.parametrize(
    ("setting", "text", "said"),
    [
        ("cachePassword", "", "is empty"),
        ("cachePassword", f"{HIDDEN}\n", "without a line break at its end"),
        ("cachePassword", f"{HIDDEN} 'x'", "do not all read alike"),
        ("cachePassword", "Ungues5", "shorter than 8"),
        ("jwtSecret", HIDDEN, "32 to 256 characters"),
        ("smtpPassword", f" {HIDDEN}", "spaces around it"),
        ("tlsKey", HIDDEN, "not a private key in PEM"),
        ("anonKey", HIDDEN, "To mend it:"),
    ],
)
def test_a_value_that_the_setting_can_not_take_is_refused_and_never_shown(api, tmp_path, setting, text, said):
    api.objects[PLACE] = secret(password=text)
    (problem,) = before(api, tmp_path, setting)
    assert said in problem
    assert f"can't give {setting}" in problem
    assert "Ungues5" not in problem
    assert base64.b64encode(b"Ungues5").decode()[:8] not in problem


def test_bytes_that_are_no_text_are_refused(api, tmp_path):
    api.objects[PLACE] = {"data": {"password": base64.b64encode(b"\xff\xfe123456789").decode()}}
    (problem,) = before(api, tmp_path)
    assert "holds no UTF-8 text" in problem


# -- the login of a registry -------------------------------------------------------------------------------------------


def test_the_secret_that_images_are_pulled_with_must_be_there_and_be_one(api, tmp_path):
    told = _Given(
        {"kubeconfig": str(api.kubeconfig(tmp_path)), "context": "test", "namespace": "n", "namespaces": [], "instance": "i"}
    )
    told["registry"] = {"namespace": "platform", "name": "login"}
    (problem,) = probe.before(told, preview=True)
    assert "there is no Secret login in namespace platform (supastack:kubernetes.imagePullSecret)" in problem
    assert "kubectl -n platform create secret docker-registry login" in problem
    for held in (secret(password=HIDDEN), {"data": {".dockerconfigjson": HIDDEN}}, secret(**{".dockerconfigjson": "{}"})):
        api.objects[PLACE] = held
        (problem,) = probe.before(told, preview=True)
        assert "no login of a registry" in problem
        assert HIDDEN not in problem
    api.objects[PLACE] = secret(**{".dockerconfigjson": '{"auths": {"registry.example.com": {"auth": "eA=="}}}'})
    assert probe.before(told, preview=True) == []
