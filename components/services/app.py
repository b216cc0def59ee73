"""A service of the user's own."""

from collections.abc import Collection, Mapping
from typing import Any, Final

from components import env_template
from components.app_sources import CAPABILITIES, GATEWAY_URLS, host_port
from components.service import (
    Autoscaled,
    Edge,
    HttpHealth,
    Image,
    Port,
    Resources,
    Secret,
    SecretKey,
    Service,
    Text,
    text,
)
from components.setting_groups import mib

LOCAL: Final = "supastack.local/"
"""Beginning of the names of images that are built on this machine, and are in no registry."""
ROLE: Final = "app-"
"""Beginning of the role of an app's image: its registry says nothing of where the stack's own images come from."""
PURPOSE: Final = "apps"
"""What an app's calls to the internet are called in the settings of network policies."""
_PORT: Final = "http"
_MEMORY_MIB: Final = 256
"""Memory limit where the settings name none, before the profile's factor. Chosen by us."""


def capability(name: str) -> str:
    """The capability that the app of a name provides to the other apps."""
    return f"app-{name}"


def is_local(reference: str) -> bool:
    """Whether an image is one that is built on this machine."""
    return reference.startswith(LOCAL)


def app(name: str, settings: Mapping[str, Any], known: Mapping[str, str], hidden: Collection[str]) -> Service:
    """The service of an app.

    Args:
        name: The app's.
        settings: Its settings, completed and checked.
        known: Values that its environment may show, by name, as the app reaches them.
        hidden: Variables of its that are secret settings.
    """
    port, limit = settings.get("port"), settings["resources"].get("memoryLimit")
    most = settings["autoscaling"].get("maxReplicas")
    path = settings.get("healthPath")
    return Service(
        name=name,
        image=Image(
            role=f"{ROLE}{name}",
            reference=settings["image"],
            kind="local" if is_local(settings["image"]) else "registry",
            user=settings["userId"],
        ),
        resources=Resources(_MEMORY_MIB if limit is None else mib(limit), settings["resources"]),
        entrypoint=tuple(settings["command"]),
        command=tuple(settings["args"]),
        env=environment(settings, known, hidden),
        secret_keys=secret_keys(name, settings, known, hidden),
        ports=() if port is None else (Port(_PORT, port, _published(name, settings)),),
        provides={} if port is None else {capability(name): _PORT},
        http_health=None if path is None or port is None else HttpHealth(_PORT, path),
        connects=tuple(map(Edge, sorted({*_used(settings, known), *map(capability, settings["connects"])}))),
        outside=(PURPOSE,) if settings["internet"] else (),
        replicable=True,
        replicas=settings["replicas"],
        autoscaled=None if most is None else Autoscaled(most, settings["autoscaling"]["cpuPercent"]),
        writable=tuple(settings["writable"]) if settings["readOnly"] else None,
        stop_grace=settings["stopGrace"],
        start_within=settings["startWithin"],
        drain=settings["drain"] if port is not None else 0,
        # What other tools look for, beside the labels that all have.
        labels={"app": name},
        host=settings.get("host"),
        tls_secret=settings.get("tlsSecret"),
    )


def _published(name: str, settings: Mapping[str, Any]) -> str | None:
    if "publish" in settings:
        found: str = settings["publish"].value
        return found
    return host_port(name) if "hostPort" in settings else None


def is_shown(value: str, known: Mapping[str, str]) -> bool:
    """Whether the text of a variable may stand where anyone can read it: all that it refers to may."""
    return all(name in known for name in env_template.names(value))


def environment(settings: Mapping[str, Any], known: Mapping[str, str], hidden: Collection[str]) -> dict[str, Text]:
    """The environment of an app; a text with a secret in it, or one that is not known beforehand, is a secret named as its variable."""
    found = {
        variable: text(env_template.fill(value, known))
        if is_shown(value, known) and not _kept(variable, settings)
        else _secret(variable)
        for variable, value in settings["env"].items()
    }
    return {**found, **{variable: _secret(variable) for variable in hidden}}


def _secret(variable: str) -> Text:
    return text(Secret(variable))


def _kept(variable: str, settings: Mapping[str, Any]) -> bool:
    """Whether the settings name a Secret that the variable is kept in."""
    return any(variable in at["keys"].values() for at in settings["secrets"].values())


def secret_keys(
    name: str, settings: Mapping[str, Any], known: Mapping[str, str], hidden: Collection[str]
) -> dict[str, SecretKey]:
    """Where each secret variable of an app is kept: in the Secret that the settings name, else in the app's own."""
    made = environment(settings, known, hidden)
    found = {variable: SecretKey(f"{name}-env", variable) for variable, value in made.items() if value.secrets}
    for secret, at in settings["secrets"].items():
        found |= {variable: SecretKey(secret, key, at["existing"]) for key, variable in at["keys"].items()}
    return found


def _used(settings: Mapping[str, Any], known: Mapping[str, str]) -> set[str]:
    """Capabilities that its environment leads it to."""
    names = {name for value in settings["env"].values() for name in env_template.names(value)}
    found = {capability for name in names for capability in CAPABILITIES.get(name, ())}
    # A public name leads out and in again; without one the address is the gateway's own in the cluster.
    inside = any(".svc." in known.get(name, "") for name in names if name in GATEWAY_URLS)
    return {*found, "gateway"} if inside else found
