"""The docker stand-in's tables against the official Python package, and the rules of its check."""

import inspect

import pulumi_docker
import pytest
from pulumi._types import input_type_py_to_pulumi_names
from pulumi_docker import _inputs

from toolchain.plugins.common.values import UNKNOWN
from toolchain.plugins.docker import check
from toolchain.plugins.docker.fields import Kind, ResourceType
from toolchain.plugins.docker.schema import CONTAINER, IMAGE, NETWORK, PROVIDER, VOLUME


def names_of(args):
    return set(input_type_py_to_pulumi_names(args).values())


def nested(kind: ResourceType, key: str) -> set[str]:
    return set(kind.fields[key].item)


@pytest.mark.parametrize(
    ("kind", "args"),
    [
        (NETWORK, pulumi_docker.NetworkArgs),
        (VOLUME, pulumi_docker.VolumeArgs),
        (IMAGE, pulumi_docker.RemoteImageArgs),
        (CONTAINER, pulumi_docker.ContainerArgs),
        (PROVIDER, pulumi_docker.ProviderArgs),
    ],
)
def test_every_input_of_the_official_package_is_known_or_refused_by_name_and_nothing_else_is(kind, args):
    known = {key for key, field in kind.fields.items() if not field.output_only}
    refused = {path for path in kind.official_only if "." not in path}
    assert known | refused == names_of(args)
    assert not known & refused


@pytest.mark.parametrize(
    ("key", "args"),
    [
        ("capabilities", _inputs.ContainerCapabilitiesArgs),
        ("healthcheck", _inputs.ContainerHealthcheckArgs),
        ("hosts", _inputs.ContainerHostArgs),
        ("labels", _inputs.ContainerLabelArgs),
        ("networksAdvanced", _inputs.ContainerNetworksAdvancedArgs),
        ("networkDatas", _inputs.ContainerNetworkDataArgs),
        ("ports", _inputs.ContainerPortArgs),
        ("ulimits", _inputs.ContainerUlimitArgs),
        ("uploads", _inputs.ContainerUploadArgs),
        ("volumes", _inputs.ContainerVolumeArgs),
    ],
)
def test_every_nested_input_is_known_or_refused_by_name(key, args):
    refused = {path.partition(".")[2] for path in CONTAINER.official_only if path.startswith(f"{key}.")}
    assert nested(CONTAINER, key) | refused == names_of(args)


@pytest.mark.parametrize(
    ("kind", "resource"),
    [
        (NETWORK, pulumi_docker.Network),
        (VOLUME, pulumi_docker.Volume),
        (IMAGE, pulumi_docker.RemoteImage),
        (CONTAINER, pulumi_docker.Container),
    ],
)
def test_every_output_of_the_official_package_is_in_the_table(kind, resource):
    outputs = {name for name, _ in inspect.getmembers(resource, lambda member: isinstance(member, property))} - {"urn", "id"}
    ours = {name.replace("_", "").lower() for name in kind.fields} | {name.lower() for name in kind.official_only}
    assert {name.replace("_", "").lower() for name in outputs} <= ours | {"pulumiresourcename", "pulumiresourcetype"}


def problems(kind=CONTAINER, **inputs):
    given = {"name": "c", "image": "i", **inputs} if kind is CONTAINER else inputs
    return check.problems(kind, given, "It is a stand-in.")


def test_right_inputs_have_no_problem():
    assert problems(envs=["A=1"], ports=[{"internal": 80}], healthcheck={"tests": ["CMD", "x"], "interval": "1m30s"}) == []


def test_a_field_that_only_the_official_plugin_has_is_refused_by_name_with_the_way_out():
    [problem] = problems(gpus="all")
    assert problem.startswith("gpus is a field of the official docker plugin")
    assert problem.endswith("It is a stand-in.")


def test_a_nested_field_that_only_the_official_plugin_has_is_refused_by_its_path():
    [problem] = problems(networksAdvanced=[{"name": "n"}, {"name": "m", "macAddress": "02:42"}])
    assert problem.startswith("networksAdvanced[1].macAddress is a field of the official docker plugin")


@pytest.mark.parametrize(
    ("inputs", "start"),
    [
        ({"nonsense": 1}, "nonsense is not a field of docker:index/container:Container"),
        ({"ports": [{"internal": 80, "extrenal": 81}]}, "ports[0].extrenal is not a field"),
        ({"exitCode": 1}, "exitCode is set by the plugin"),
        ({"memory": "64"}, "memory must be a whole number"),
        ({"memory": -1}, "memory must be 0 or more"),
        ({"memorySwap": -2}, "memorySwap must be -1 or more"),
        ({"memory": 0.5}, "memory must be a whole number"),
        ({"mustRun": "yes"}, "mustRun must be a boolean"),
        ({"envs": "A=1"}, "envs must be a list"),
        ({"envs": [1]}, "envs[0] must be a string"),
        ({"logOpts": {"max-size": 1}}, "logOpts.max-size must be a string"),
        ({"restart": "sometimes"}, "restart must be one of"),
        ({"healthcheck": {"interval": "10"}}, "healthcheck.interval must be a duration"),
        ({"ports": [{"external": 80}]}, "ports[0].internal is missing"),
        ({"ports": [{"internal": 80, "external": 65536}]}, "ports[0].external must be a port"),
        ({"ports": [80]}, "ports[0] must be an object"),
        ({"cpus": "half"}, "cpus must be a number of CPUs"),
        ({"cpuSet": "one"}, "cpuSet must list CPUs"),
        ({"volumes": [{"volumeName": "v"}]}, "volumes[0] has no containerPath"),
        ({"volumes": [{"hostPath": "here", "containerPath": "/x"}]}, "volumes[0].hostPath must be an absolute path"),
        ({"uploads": [{"file": "/x"}]}, "uploads[0] has no content"),
        ({"uploads": [{"file": "/x", "content": "a", "contentBase64": "YQ=="}]}, "uploads[0] has content and contentBase64"),
        ({"uploads": [{"file": "/x", "contentBase64": "%"}]}, "uploads[0].contentBase64 must be base64"),
        ({"uploads": [{"file": "/x", "content": "a", "permissions": "rw"}]}, "uploads[0].permissions must be an octal"),
    ],
)
def test_what_can_not_be_right_is_refused_by_its_path(inputs, start):
    [problem] = problems(**inputs)
    assert problem.startswith(start)


def test_all_problems_are_told_at_once():
    assert len(problems(memory=-1, restart="x", nonsense=1)) == 3


def test_a_missing_image_is_told():
    assert check.problems(CONTAINER, {"name": "c"}) == ["image is missing"]


def test_no_message_repeats_a_value_that_may_be_secret():
    secret = "hunter2hunter2"
    told = problems(
        envs=[{"A": secret}],
        uploads=[{"file": "/x", "contentBase64": secret + "!", "permissions": secret}],
        volumes=[{"hostPath": secret}],
        memory=secret,
        logOpts={"x": {"y": secret}},
    )
    assert len(told) == 6
    assert not any(secret in problem for problem in told)


def test_unknown_values_pass_wherever_they_stand():
    assert (
        problems(
            memory=UNKNOWN,
            envs=UNKNOWN,
            ports=[{"internal": UNKNOWN}],
            healthcheck=UNKNOWN,
            networksAdvanced=[{"name": UNKNOWN, "aliases": UNKNOWN}],
            uploads=[{"file": "/x", "content": UNKNOWN}],
            volumes=[{"volumeName": UNKNOWN, "containerPath": "/x"}],
            restart=UNKNOWN,
        )
        == []
    )


def test_registry_credentials_in_the_provider_are_refused_by_name():
    [problem] = check.problems(PROVIDER, {"registryAuth": [{"address": "x"}]})
    assert problem.startswith("registryAuth is a field of the official docker plugin")


def test_a_name_is_made_of_the_resource_and_seven_hex_digits_and_stays():
    first = check.fill(VOLUME, {}, {}, "data", b"seed")
    assert first["name"] == check.fill(VOLUME, {}, {}, "data", b"seed")["name"]
    head, _, tail = first["name"].rpartition("-")
    assert head == "data"
    assert len(tail) == 7
    assert int(tail, 16) >= 0
    assert check.fill(VOLUME, {}, first, "data", b"another seed")["name"] == first["name"]
    assert check.fill(VOLUME, {}, {}, "data", b"another seed")["name"] != first["name"]


def test_a_name_the_program_gave_before_is_not_kept_as_an_automatic_one():
    assert check.fill(VOLUME, {}, {"name": "mine"}, "data", b"seed")["name"] != "mine"


def test_defaults_of_nested_fields_are_filled_in():
    filled = check.fill_nested(CONTAINER.fields["ports"], [{"internal": 80}])
    assert filled == [{"internal": 80, "ip": "0.0.0.0", "protocol": "tcp"}]


def test_every_kind_of_field_is_checked_for_its_type():
    right = {
        Kind.STRING: "",
        Kind.BOOL: True,
        Kind.INT: 1,
        Kind.LIST: [],
        Kind.SET: [],
        Kind.MAP: {},
        Kind.OBJECT: {},
    }
    for key, field in CONTAINER.fields.items():
        if field.output_only:
            continue
        wrong = 1.5 if field.kind is not Kind.INT else True
        assert any(problem.startswith(f"{key} must be a") for problem in problems(**{key: wrong})), key
        assert right[field.kind] is not None
