"""Docker and Kubernetes give every service the same: its stack, built for and placed on both, compared value by value."""

import base64

import pulumi
import pytest

from components import cache, object_storage, plain_database, releases, supabase_stack
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
BY_ADDRESS = {
    # What goes out to clients: they reach the gateway by a port of this machine, or by its name in the cluster.
    ("auth", "API_EXTERNAL_URL"),
    ("auth", "GOTRUE_EXTERNAL_GITHUB_REDIRECT_URI"),
    ("auth", "GOTRUE_JWT_ISSUER"),
    ("functions", "SUPABASE_PUBLIC_URL"),
    ("storage", "STORAGE_PUBLIC_URL"),
    ("studio", "SUPABASE_PUBLIC_URL"),
    # The pages whose scripts the gateway lets call it: those two, the API's and Studio's.
    ("gateway", "/etc/envoy/envoy.yaml"),
    ("gateway", "/home/kong/kong.yml"),
    # The port that it is told clients see, for its own: Docker's is another.
    ("gateway", "KONG_PORT_MAPS"),
}
"""Variables and files that differ by the public addresses alone, with the reason: service and name."""
ADDRESSES = {
    "gateway.shop-prod.svc.cluster.local:8000": "127.0.0.1:54321",
    "gateway.shop-prod.svc.cluster.local:8100": "127.0.0.1:54323",
    r"gateway\\.shop\\-prod\\.svc\\.cluster\\.local:8000": r"127\\.0\\.0\\.1:54321",
    r"gateway\\.shop\\-prod\\.svc\\.cluster\\.local:8100": r"127\\.0\\.0\\.1:54323",
    "8000:8000": "54321:8000",
}
"""Docker's by the cluster's, also as a pattern in kong.yml."""
JOBS_OF_A_CLUSTER = {
    # There a changed password reaches the database (docs/decisions/0017); Docker refuses one, since the volume and it are a pair.
    "database-sync",
}
"""Services that are on Kubernetes alone, with the reason."""
ONLY_IN_A_CLUSTER = {
    # Which node's logs are read.
    ("vector", "VECTOR_SELF_NODE_NAME"),
}


def components(where):
    """The services of every component, as they are told at that place."""
    release = where["release"]
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


def as_docker(service, values):
    """The cluster's values with Docker's addresses in the places that may have them."""

    def translated(value):
        if isinstance(value, tuple):
            return translated(value[0]), value[1]
        for there, here in ADDRESSES.items():
            value = value.replace(there, here)
        return value

    return {name: translated(value) if (service, name) in BY_ADDRESS else value for name, value in values.items()}


RELEASES = tuple(releases.names())


def both(release):
    """The places, which differ in the target alone; no local images, since a stub is told other things."""
    pages = {"release": release, "local_images": False, "project": "shop", "stack": "prod"}
    return placement(**pages), {**making.kubernetes(), **pages}


@pytest.mark.parametrize("component", ["supabase", "cache", "objects", "plain"])
@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("engine", [False], indirect=True, ids=["up"])
def test_a_service_gets_the_same_on_both(engine, release, component):
    here, there = both(release)
    services, theirs = ([s for s in components(where)[component] if not s.off] for where in (here, there))
    assert {s.name for s in theirs} - {s.name for s in services} == (JOBS_OF_A_CLUSTER if component == "supabase" else set())
    one, other = placed(engine, docker, here, services), placed(engine, kubernetes, there, theirs)
    by_name = {s.name: s for s in theirs}
    for service in services:
        docker_env, docker_files, *docker_words = of_docker(one, service)
        env, files, *words = of_kubernetes(other, by_name[service.name])
        more = {name for name in env if (service.name, name) in ONLY_IN_A_CLUSTER}
        env, files = as_docker(service.name, env), as_docker(service.name, files)
        assert {name: value for name, value in env.items() if name not in more} == docker_env, service.name
        same = {path for path in docker_files if (service.name, path) not in NOT_THE_SAME}
        assert files.keys() == docker_files.keys(), service.name
        assert {path: files[path] for path in same} == {path: docker_files[path] for path in same}, service.name
        assert words == docker_words, service.name


def test_what_is_listed_as_different_is():
    """Else an entry would hide the day on which something else differs there."""
    found = set()
    for release in RELEASES:
        here, there = (
            {(s.name, name): text for s in components(where)["supabase"] for name, text in told(s)} for where in both(release)
        )
        found |= {at for at in here.keys() & there.keys() if here[at] != there[at]}
    assert found == BY_ADDRESS


def told(service):
    return [*service.env.items(), *((file.path, file.content) for file in service.files)]
