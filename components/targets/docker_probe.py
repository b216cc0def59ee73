"""Looks at a Docker daemon before and after a deployment: the `Probe` of the Docker target.

Runs in the process of the dynamic provider, in every preview and up. In a preview it only looks.
"""

import os
import socket
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import docker
from docker.errors import APIError, DockerException, NotFound
from docker.utils import kwargs_from_env
from requests.exceptions import RequestException

from components.identity import refusal
from components.targets import labels
from components.targets.docker_health import Asked
from components.targets.port_holder import holder

Container = Mapping[str, Any]
# The client lets the errors of its transport through once it is connected.
_NO_ANSWER = (DockerException, RequestException)
_POLL_SECONDS = 0.5
_QUIET_SECONDS = 1.5
"""How long it says nothing: who only has to be asked has answered by then."""
_OPTIONAL_SECONDS = 45
"""How long the health gate waits for what nothing else needs."""
_REFUSED = "refused:"
"""So a health check begins what it says where waiting can't help: cause and cure follow."""
_SAID_CHARACTERS = 600


def _client(host: str | None) -> docker.APIClient:
    """A client for the daemon that the plugin uses too: `host`, or DOCKER_HOST, or the default socket."""
    environment = dict(os.environ) if host is None else {**os.environ, "DOCKER_HOST": host}
    return docker.APIClient(version="auto", timeout=30, **kwargs_from_env(environment=environment))


def before(parameters: Mapping[str, Any], *, preview: bool) -> Sequence[str]:
    """Ports that are taken, volumes, containers or networks with our names that are not ours, and servers that refuse their data."""
    del preview  # looks only, always
    try:
        client = _client(parameters["host"])
        containers = client.containers(all=True)
        volumes = {v["Name"]: v for v in client.volumes().get("Volumes") or []}
        networks = client.networks(names=[parameters["network"]])
        refusals = _refusals(parameters, client, containers)
    except _NO_ANSWER as e:
        return [unreachable(parameters["host"], e)]
    return [
        *refusals,
        *_port_problems(parameters, client, containers),
        *_app_problems(parameters, containers),
        *_volume_problems(parameters, volumes),
        *_name_problems(parameters, containers, networks),
        *_folder_problems(parameters),
    ]


def unreachable(host: str | None, error: Exception) -> str:
    """One sentence for a daemon that does not answer."""
    where = f"at {host} (supastack:docker.host)" if host else "at DOCKER_HOST or its default socket"
    return f"no Docker daemon answers {where}: {error}. Start Docker, or set supastack:docker.host. `make up` can start one."


def _folder_problems(parameters: Mapping[str, Any]) -> list[str]:
    """Folders that services are to see: the daemon would make a missing one, empty and the administrator's."""
    host = parameters["host"] or os.environ.get("DOCKER_HOST") or "unix://"
    if not host.startswith("unix://"):
        return []  # they are on the daemon's machine
    return [
        f"the folder {path} is not there. Make it, or change {setting}."
        for path, setting in sorted((parameters.get("folders") or {}).items())
        if not Path(path).is_dir()
    ]


def _ours(item: Mapping[str, Any], stack_id: str | None) -> bool:
    return stack_id is not None and (item.get("Labels") or {}).get(labels.STACK_ID) == stack_id


def _owner(item: Mapping[str, Any]) -> str:
    marks = item.get("Labels") or {}
    if labels.STACK in marks:
        return f"Supastack stack {marks[labels.STACK]} with id {marks.get(labels.STACK_ID, '?')}"
    return "something that is not Supastack"


def _published(containers: Iterable[Container]) -> dict[int, list[tuple[str, Container]]]:
    """Who has which port of the machine, and on which address."""
    found: dict[int, list[tuple[str, Container]]] = {}
    for container in containers:
        for port in container.get("Ports") or []:
            if port.get("PublicPort") and port.get("Type") == "tcp":
                found.setdefault(int(port["PublicPort"]), []).append((port.get("IP", "0.0.0.0"), container))
    return found


def _app_problems(parameters: Mapping[str, Any], containers: Sequence[Container]) -> list[str]:
    """Ports that apps are to listen on, and that another stack has. Whatever else is there may be the app itself."""
    published = _published(containers)
    problems = []
    for want in parameters.get("apps") or []:
        number = int(want["port"])
        others = [
            c
            for address, c in published.get(number, ())
            if _meet(address, want["bind"]) and labels.STACK in (c.get("Labels") or {}) and not _ours(c, parameters["stack_id"])
        ]
        if others:
            problems.append(
                f"port {number} on {want['bind']}, which the env file of {want['app']} gives to its app, is taken by container "
                f"{others[0]['Names'][0].lstrip('/')} of {_owner(others[0])}. Choose another one: "
                f"`pulumi config set --path supastack:ports.{want['name']} <port>`."
            )
    return problems


def _port_problems(parameters: Mapping[str, Any], client: docker.APIClient, containers: Sequence[Container]) -> list[str]:
    published = _published(containers)
    local = client.base_url.startswith(("http+docker", "http://localhost"))
    problems = []
    for want in sorted(parameters["ports"], key=lambda p: int(p["port"])):
        number, bind = int(want["port"]), want["bind"]
        holders = [c for address, c in published.get(number, ()) if _meet(address, bind)]
        taken = not holders and local and not _free(bind, number)
        if taken:
            holders = _starting(client, containers, number, bind)
        others = [c for c in holders if not _ours(c, parameters["stack_id"])]
        left = [name for c in holders if (name := c["Names"][0].lstrip("/")) not in parameters["containers"]]
        if left and not others:
            # The engine makes what is new before it removes what has left the program.
            problems.append(
                f"port {number} on {bind}, wanted by {want['service']}, is held by container {left[0]}, for which the settings have no use "
                f"any more: it would go only after {want['service']} has started. Nothing was touched. Remove it and try again, its "
                f"volumes stay: `docker rm --force {left[0]}`."
            )
            continue
        if others:
            by = f"container {others[0]['Names'][0].lstrip('/')} of {_owner(others[0])}"
        elif taken and not holders:
            by = holder(number) or "a process that this user may not see"
        else:
            continue
        problems.append(
            f"port {number} on {bind}, wanted by {want['service']}, is taken by {by}. Free it, or choose another one: "
            f"`pulumi config set --path supastack:{want.get('setting', 'ports.' + want['name'])} <port>`, or take a further instance: "
            f"`make up INSTANCE=2`."
        )
    return problems


def _starting(client: docker.APIClient, containers: Iterable[Container], port: int, bind: str) -> list[Container]:
    """Containers that are to have the port: one between two tries of its restart policy has it before it is listed with it."""
    found = []
    for container in containers:
        try:
            bindings = client.inspect_container(container["Id"])["HostConfig"].get("PortBindings") or {}
        except NotFound:
            continue
        if container.get("State") != "exited" and any(
            b.get("HostPort") == str(port) and _meet(b.get("HostIp") or "0.0.0.0", bind)
            for name, every in bindings.items()
            if name.endswith("/tcp")
            for b in every or ()
        ):
            found.append(container)
    return found


def _meet(one: str, other: str) -> bool:
    """Whether two addresses can't both have the same port."""
    every = {"0.0.0.0", "::"}
    return one == other or one in every or other in every


def _free(bind: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in bind else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as s:
        # As the daemon's own proxy does: connections that linger from a server that is gone do not count.
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind((bind, port))
        except OSError:
            return False
    return True


def _volume_problems(parameters: Mapping[str, Any], volumes: Mapping[str, Mapping[str, Any]]) -> list[str]:
    planned = {want["name"] for want in parameters["volumes"]}
    problems = [
        f"volume {name} holds data of this stack's {(volume.get('Labels') or {}).get(labels.COMPONENT)}, for which the settings have no "
        f"use any more (an external one in its place?). Nothing was touched. Set them back; or save the data and give the volume up: "
        f"`make down`, `docker volume rm {name}`, `make up`."
        for name, volume in sorted(volumes.items())
        if _ours(volume, parameters["stack_id"]) and name not in planned
    ]
    for want in parameters["volumes"]:
        found = volumes.get(want["name"])
        if found is None:
            continue
        marks = found.get("Labels") or {}
        name, theirs = want["name"], marks.get(labels.STACK_ID)
        if theirs is None:
            problems.append(
                f"volume {name} exists and was not made by Supastack. Nothing was touched. Rename or remove it "
                f"(`docker volume rm {name}` deletes its data), or use another stack name."
            )
        elif theirs != parameters["stack_id"]:
            problems.append(_kept_by_another(want, theirs))
        elif (
            want["identity"]
            and (held := marks.get(labels.IDENTITY))
            and (why := refusal(name, held, want["identity"], want["setting"])) is not None
        ):
            problems.append(why)
    return problems


def _refusals(parameters: Mapping[str, Any], client: docker.APIClient, containers: Iterable[Container]) -> list[str]:
    """What servers of this stack say for whom waiting can't help: a deployment would only wait for them."""
    found = []
    for container in containers:
        name = container["Names"][0].lstrip("/") if container.get("Names") else ""
        unwell = "health" in container.get("Status", "") and "(healthy)" not in container.get("Status", "")
        if unwell and name in parameters["containers"] and _ours(container, parameters["stack_id"]):
            why = _state(client, name)
            if why is not None and why.startswith("!" + _REFUSED):
                found.append(_unwell(name, why, ""))
    return found


def _kept_by_another(want: Mapping[str, Any], theirs: str) -> str:
    way = (
        f"To take it over, give its id and its old password: `pulumi config set supastack:stackId {theirs}` and "
        f"`pulumi config set --secret {want['secret_setting']}`. "
        if want["secret_setting"]
        else f"To take it over, give its id: `pulumi config set supastack:stackId {theirs}`. "
    )
    return (
        f"volume {want['name']} was kept from a stack with id {theirs}, whose state, and with it the password, is not the one "
        f"in use here. Nothing was touched. {way}To give the data up: `docker volume rm {want['name']}`."
    )


def paired(parameters: Mapping[str, Any], *, preview: bool) -> Sequence[str]:
    """A database keeps the password that it was initialised with: another one would lock everybody out."""
    del preview
    try:
        found = _client(parameters["host"]).inspect_volume(parameters["volume"])
    except NotFound:
        return []
    except _NO_ANSWER as e:
        return [unreachable(parameters["host"], e)]
    mark = (found.get("Labels") or {}).get(labels.PAIRED_SECRET)
    if None in (mark, parameters["mark"]) or mark == parameters["mark"]:
        return []
    hint = f"; {parameters['hint']}" if parameters.get("hint") else ""
    return [
        f"volume {parameters['volume']} was initialised with another password than the one at hand, and its server keeps the "
        f"first one. Nothing was touched. Give the old password back (`pulumi config set --secret {parameters['setting']}`; "
        f"`pulumi config rm {parameters['setting']}` if it was a generated one{hint}), or save the data, then `make purge` and `make up`."
    ]


def _name_problems(
    parameters: Mapping[str, Any], containers: Iterable[Container], networks: Iterable[Mapping[str, Any]]
) -> list[str]:
    wanted = set(parameters["containers"])
    problems = [
        f"container {name} exists and belongs to {_owner(c)}. Nothing was touched. Remove it (`docker rm -f {name}`), or use "
        f"another stack name."
        for c in containers
        for name in (n.lstrip("/") for n in c["Names"])
        if name in wanted and not _ours(c, parameters["stack_id"])
    ]
    problems += [
        f"network {n['Name']} exists and belongs to {_owner(n)}. Nothing was touched. Remove it "
        f"(`docker network rm {n['Name']}`), or use another stack name."
        for n in networks
        if n["Name"] == parameters["network"] and not _ours(n, parameters["stack_id"])
    ]
    return problems


def after(parameters: Mapping[str, Any], *, preview: bool) -> Sequence[str]:
    """The health gate: waits until every container is healthy and every job has ended well.

    All are polled at once, and each change in what is waited for is said. What is optional is waited for too, but not for long, and
    is only named if it does not get well. A preview changes nothing, so there is nothing to wait for.
    """
    if preview:
        return []
    from components.engine_log import say, warn

    started = time.monotonic()
    optional = set(parameters["optional"] or ())
    said: list[str] = []
    asked = Asked(parameters.get("asked") or {})
    while True:
        states, problem = _states(parameters, asked)
        waiting = {name: why for name, why in states.items() if why is not None}
        needed = {name: why for name, why in waiting.items() if name not in optional}
        if problem is None and not waiting:
            return []
        waited = time.monotonic() - started
        late = waited > float(parameters["timeout"])
        if problem is None and not needed and (late or waited > _OPTIONAL_SECONDS or all(map(_is_final, waiting.values()))):
            for name, why in sorted(waiting.items()):
                warn(f"{_unwell(name, why, f'{waited:.0f} s')} Nothing else needs it, so the deployment goes on.")
            return []
        if late and problem is not None:
            return [problem]
        final = {name: why for name, why in needed.items() if _is_final(why)}
        limit = f"{float(parameters['timeout']):.0f} s (supastack:healthTimeout)"
        if final or late:
            return [_unwell(name, why, limit) for name, why in sorted((final or needed).items())]
        now = sorted(waiting)
        if now != said and waited >= _QUIET_SECONDS:
            say("waiting for " + (", ".join(f"{name} ({waiting[name]})" for name in now) or "the Docker daemon"))
            said = now
        time.sleep(_POLL_SECONDS)


def _is_final(why: str) -> bool:
    """Whether waiting can't help."""
    return why.startswith("!")


def _states(parameters: Mapping[str, Any], asked: Asked) -> tuple[dict[str, str | None], str | None]:
    """Why each container is not well yet, and why that can't be told: a daemon may be restarting just now."""
    try:
        client = _client(parameters["host"])
        return {name: _state(client, name, asked) for name in parameters["containers"]}, None
    except _NO_ANSWER as e:
        return {}, unreachable(parameters["host"], e)


def _state(client: docker.APIClient, name: str, asked: Asked | None = None) -> str | None:
    """Why a container is not well yet, None when it is; with a leading `!` where waiting can't help.

    `asked` asks one that starts by itself; without it, what the daemon knows is told.
    """
    try:
        found = client.inspect_container(name)
    except NotFound:
        return "!it does not exist"
    except APIError as e:
        return f"the daemon can't tell: {e.explanation}"
    state = found["State"]
    job = (found["Config"].get("Labels") or {}).get(labels.KIND) == "job"
    if job:
        if state["Status"] == "exited":
            return None if state["ExitCode"] == 0 else f"!it ended with exit code {state['ExitCode']}"
        return "it runs"
    if not state["Running"] or state.get("Restarting"):
        # It may be between two tries of its restart policy, or just be starting.
        return f"it is {state['Status']}, exit code {state['ExitCode']}"
    if asked is not None and (why := asked.answers(name)) is not None:
        return why
    health = state.get("Health") or {"Status": "healthy"}
    if health["Status"] == "healthy" or (health["Status"] == "starting" and asked is not None and asked.well(client, found)):
        return None
    said = _said(health)
    if said.startswith(_REFUSED):
        return f"!{said}"
    return f"it is {health['Status']}" + (f" ({said})" if said and health["Status"] == "unhealthy" else "")


def _said(health: Mapping[str, Any]) -> str:
    """What the last health check wrote, on one line and not too long."""
    log = health.get("Log") or [{}]
    text = " ".join((log[-1].get("Output") or "").split())
    return text if len(text) <= _SAID_CHARACTERS else f"{text[:_SAID_CHARACTERS]} ..."


def _unwell(name: str, why: str, waited: str) -> str:
    if why.startswith("!" + _REFUSED):
        return f"{name} is not well: {why.removeprefix('!' + _REFUSED).strip()}"
    after = "" if why.startswith("!") else f" after {waited}"
    return (
        f"{name} is not well{after}: {why.lstrip('!')}. See its log: `docker logs --tail 20 {name}`; put right what it names and "
        f"run `up` again."
    )
