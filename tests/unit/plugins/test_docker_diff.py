"""What the docker stand-in holds for a difference, and what replaces."""

import pytest

from toolchain.plugins.common.values import UNKNOWN
from toolchain.plugins.docker import diff
from toolchain.plugins.docker.schema import CONTAINER, IMAGE, NETWORK, VOLUME


def replaces(found):
    return {key: change.replaces for key, change in found.items()}


def container(state, inputs, ignored=()):
    base = {"name": "c", "image": "i"}
    return replaces(diff.changes(CONTAINER, {**base, **state}, {**base, **inputs}, ignored))


def test_sets_have_no_order():
    assert container({"envs": ["A=1", "B=2"]}, {"envs": ["B=2", "A=1"]}) == {}
    assert container({"labels": [{"label": "a", "value": "1"}]}, {"labels": [{"value": "1", "label": "a"}]}) == {}
    assert (
        container(
            {"networksAdvanced": [{"name": "n", "aliases": ["a", "b"]}]},
            {"networksAdvanced": [{"name": "n", "aliases": ["b", "a"]}]},
        )
        == {}
    )


def test_ports_and_commands_have_an_order():
    one, two = {"internal": 1, "external": 1}, {"internal": 2, "external": 2}
    assert container({"ports": [one, two]}, {"ports": [two, one]}) == {"ports": True}
    assert container({"command": ["a", "b"]}, {"command": ["b", "a"]}) == {"command": True}


def test_unset_and_zero_are_the_same():
    assert container({"domainname": "", "memory": 0, "dns": [], "privileged": False, "sysctls": {}}, {}) == {}


def test_what_the_daemon_filled_in_is_no_difference():
    read = {
        "hostname": "abc",
        "command": ["x"],
        "entrypoints": ["y"],
        "ipcMode": "private",
        "shmSize": 64,
        "securityOpts": ["s"],
        "logDriver": "json-file",
        "init": True,
        "healthcheck": {"tests": ["CMD", "x"]},
        "stopSignal": "SIGINT",
        "stopTimeout": 3,
    }
    assert container(read, {}) == {}


def test_a_value_taken_out_of_the_program_is_a_difference_where_the_daemon_has_no_say():
    assert container({"memory": 64, "tmpfs": {"/x": ""}}, {}) == {"memory": False, "tmpfs": False}
    assert container({"volumes": [{"volumeName": "v", "containerPath": "/x"}]}, {}) == {"volumes": True}


def test_the_image_users_and_folders_own_value_counts_where_the_program_says_nothing():
    assert container({"user": "999", "workingDir": "/x"}, {}) == {}
    assert container({"user": "999"}, {"user": ""}) == {}
    assert container({"user": "999"}, {"user": "1000"}) == {"user": True}


def test_a_port_that_docker_chose_is_no_difference():
    chosen = {"internal": 80, "external": 32768, "ip": "0.0.0.0", "protocol": "tcp"}
    assert container({"ports": [chosen]}, {"ports": [{"internal": 80}]}) == {}
    assert container({"ports": [chosen]}, {"ports": [{"internal": 80, "external": 8080}]}) == {"ports": True}


@pytest.mark.parametrize(
    ("key", "old", "new"),
    [
        ("restart", "no", "always"),
        ("maxRetryCount", 1, 2),
        ("memory", 64, 65),
        ("memorySwap", 64, -1),
        ("memoryReservation", 1, 2),
        ("cpuShares", 1, 2),
        ("cpuSet", "0", "1"),
        ("healthcheck", {"tests": ["a"]}, {"tests": ["b"]}),
        ("tmpfs", {}, {"/x": ""}),
        ("init", False, True),
        ("cpuQuota", 1, 2),
        ("cpuPeriod", 1, 2),
        ("mustRun", False, True),
        ("wait", False, True),
        ("destroyGraceSeconds", 1, 30),
        ("rm", False, True),
    ],
)
def test_these_are_updates(key, old, new):
    assert container({key: old}, {key: new}) == {key: False}


@pytest.mark.parametrize(
    ("key", "old", "new"),
    [
        ("name", "a", "b"),
        ("image", "sha256:a", "sha256:b"),
        ("envs", ["A=1"], ["A=2"]),
        ("labels", [], [{"label": "a", "value": "b"}]),
        ("cpus", "1", "2"),
        ("shmSize", 64, 65),
        ("readOnly", False, True),
        ("uploads", [{"file": "/x", "content": "a"}], [{"file": "/x", "content": "b"}]),
        ("networkMode", "bridge", "host"),
        ("stopTimeout", 1, 2),
        ("logOpts", {}, {"max-size": "1m"}),
        ("ulimits", [], [{"name": "nofile", "soft": 1, "hard": 2}]),
        ("capabilities", {"adds": ["CHOWN"]}, {"adds": ["CHOWN"], "drops": ["ALL"]}),
    ],
)
def test_these_replace(key, old, new):
    assert container({key: old}, {key: new}) == {key: True}


def test_an_unknown_value_is_a_difference_even_deep_inside():
    assert container({"envs": ["A=1"]}, {"envs": ["A=1", UNKNOWN]}) == {"envs": True}
    assert container({"image": "sha256:a"}, {"image": UNKNOWN}) == {"image": True}
    assert container({"memory": 1}, {"memory": UNKNOWN}) == {"memory": False}


def test_what_the_program_ignores_is_no_difference():
    assert container({"labels": [], "envs": ["A=1"]}, {"labels": [{"label": "a", "value": "b"}]}, ["labels", "envs[0]"]) == {}


def test_a_healthcheck_in_another_spelling_is_a_difference_as_in_the_official_plugin():
    assert container({"healthcheck": {"interval": "1m0s"}}, {"healthcheck": {"interval": "60s"}}) == {"healthcheck": False}


def test_a_volume_s_labels_and_driver_options_replace_and_its_driver_is_the_daemons_to_say():
    state = {"name": "v", "labels": [{"label": "a", "value": "1"}], "driver": "local", "driverOpts": {}}
    assert replaces(diff.changes(VOLUME, state, {"name": "v", "labels": state["labels"]})) == {}
    assert replaces(diff.changes(VOLUME, state, {"name": "v"})) == {"labels": True}
    assert replaces(diff.changes(VOLUME, state, {**state, "driverOpts": {"o": "size=1m"}})) == {"driverOpts": True}


def test_everything_about_a_network_replaces():
    state = {"name": "n", "driver": "bridge", "ipamDriver": "default", "ipamConfigs": [{"subnet": "10.0.0.0/8"}]}
    assert replaces(diff.changes(NETWORK, state, {"name": "n", "ipamDriver": "default"})) == {}
    assert replaces(diff.changes(NETWORK, state, {"name": "n", "ipamDriver": "default", "internal": True})) == {"internal": True}


def test_an_image_is_replaced_for_its_name_and_updated_for_keeping_it():
    state = {"name": "a", "imageId": "sha256:x"}
    assert replaces(diff.changes(IMAGE, state, {"name": "b", "keepLocally": True})) == {"name": True, "keepLocally": False}


def test_words_say_what_happens_to_a_property():
    found = diff.changes(CONTAINER, {"name": "c", "memory": 1, "mustRun": False}, {"name": "c", "cpuShares": 1, "mustRun": True})
    assert {key: change.kind for key, change in found.items()} == {"memory": "delete", "cpuShares": "add", "mustRun": "update"}
