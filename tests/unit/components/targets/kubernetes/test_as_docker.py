"""Docker and Kubernetes give every service the same: one set of services, placed on both, compared value by value."""

import base64

import pulumi
import pytest

from components import cache, object_storage, plain_database, supabase_stack
from components.endpoints import Endpoint
from components.targets import docker
from components.targets.kubernetes import placing as kubernetes
from tests.conftest import unwrapped
from tests.unit.components.placements import placement
from tests.unit.components.targets.kubernetes import making

NOT_THE_SAME = {
    # Docker's logs are read from the daemon's socket, and named by a label of its own.
    ("vector", "/etc/vector/vector.yml"),
}
"""Files that differ, with the reason: service and path."""
ONLY_IN_A_CLUSTER = {
    # Which node's logs are read.
    ("vector", "VECTOR_SELF_NODE_NAME"),
}


def components(release):
    """The services of every component; `local_images` off, since a stub is told other things."""
    where = placement(release=release, local_images=False)
    secrets = {"smtp-password": "mail+pass/word", "function-TOKEN": "$(not) a $$variable", "auth-provider-github": "gh"}
    settings = {
        "auth": {"smtp": {"host": "smtp.example.com", "user": "me"}, "external": {"github": {"enabled": True, "clientId": "x"}}},
        "storage": {"buckets": {"avatars": {"public": True}}},
        "analytics": {"enabled": release != "2024-01"},
        "vector": {"enabled": release != "2024-01"},
        "services": {"rest": {"env": {"PGRST_X": "$(date) $$ %"}}},
    }
    return {
        "supabase": supabase_stack.services({"placement": where, "settings": settings, "secrets": secrets, "root": "."}),
        "cache": cache.services({"placement": where, "settings": {"enabled": True, "commander": True}}),
        "objects": object_storage.services({"placement": where, "settings": {"enabled": True, "engine": "seaweedfs"}}),
        "plain": plain_database.services({"placement": where, "settings": {"enabled": True, "pgbouncer": {"enabled": True}}}),
    }


def placed(engine, module, where, services):
    """Inputs by resource, once all services were placed by a target."""
    elsewhere = {"redis": Endpoint("valkey", 6379), "s3": Endpoint("seaweedfs", 9000)}

    class Component(pulumi.ComponentResource):
        """Something that places services."""

        def __init__(self) -> None:
            super().__init__("supastack:index:One", "one", {})
            names = {name for service in services for name in service.secrets}
            secrets = {name: pulumi.Output.secret(f"s3cr€t/{name}+@%$(x)'") for name in names}
            module.place(self, "one", where, services, secrets, elsewhere)
            self.register_outputs({})

    recorder = engine(Component)
    return {name: unwrapped(recorder.inputs(name)) for name in recorder.requests}


def of_docker(found, service):
    own = found[f"one-{service.name}"]
    return (
        dict(entry.split("=", 1) for entry in own.get("envs", ())),
        {upload["file"]: (upload["content"], int(upload["permissions"], 8)) for upload in own.get("uploads", ())},
        own.get("entrypoints", []),
        own.get("command", []),
    )


def read_back(value):
    """A value as kubelet hands it over: `$$` is a dollar sign, and what looks like a variable stays, since none is known."""
    return value.replace("$$", "$")


def of_kubernetes(found, service):
    (own,) = found[f"one-{service.name}"]["spec"]["template"]["spec"]["containers"]
    volumes = {v["name"]: v for v in found[f"one-{service.name}"]["spec"]["template"]["spec"]["volumes"]}
    objects = {
        (inputs["kind"], inputs["metadata"]["name"]): inputs
        for inputs in found.values()
        if inputs.get("kind") in ("Secret", "ConfigMap")
    }

    def secret(name, key):
        return base64.b64decode(objects["Secret", name]["data"][key]).decode()

    env = {}
    for entry in own.get("env", ()):
        source = entry.get("valueFrom", {})
        if "secretKeyRef" in source:
            env[entry["name"]] = secret(source["secretKeyRef"]["name"], source["secretKeyRef"]["key"])
        else:
            env[entry["name"]] = read_back(entry.get("value", ""))
    files = {}
    for mount in own.get("volumeMounts", ()):
        volume = volumes.get(mount["name"], {})
        if mount["name"] == "files":
            content = objects["ConfigMap", volume["configMap"]["name"]]["data"][mount["subPath"]]
            modes = {item["key"]: item["mode"] for item in volume["configMap"]["items"]}
            files[mount["mountPath"]] = (content, int(modes[mount["subPath"]]))
        elif mount["name"] == "secret-files":
            modes = {item["key"]: item["mode"] for item in volume["secret"]["items"]}
            files[mount["mountPath"]] = (secret(volume["secret"]["secretName"], mount["subPath"]), int(modes[mount["subPath"]]))
    return env, files, own.get("command", []), [read_back(word) for word in own.get("args", ())]


@pytest.mark.parametrize("component", ["supabase", "cache", "objects", "plain"])
@pytest.mark.parametrize("release", ["2026-09", "2024-05"])
@pytest.mark.parametrize("engine", [False], indirect=True, ids=["up"])
def test_a_service_gets_the_same_on_both(engine, release, component):
    services = [service for service in components(release)[component] if not service.off]
    pages = {"release": release, "local_images": False}
    cluster = making.kubernetes()
    one = placed(engine, docker, placement(**pages), services)
    other = placed(engine, kubernetes, {**cluster, **pages}, services)
    for service in services:
        docker_env, docker_files, *docker_words = of_docker(one, service)
        env, files, *words = of_kubernetes(other, service)
        more = {name for name in env if (service.name, name) in ONLY_IN_A_CLUSTER}
        assert {name: value for name, value in env.items() if name not in more} == docker_env, service.name
        same = {path for path in docker_files if (service.name, path) not in NOT_THE_SAME}
        assert files.keys() == docker_files.keys(), service.name
        assert {path: files[path] for path in same} == {path: docker_files[path] for path in same}, service.name
        assert words == docker_words, service.name
