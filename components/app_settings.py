"""Settings of the services of one's own that run in a stack, and the checks of their texts."""

import re
from enum import Enum
from typing import Annotated, NotRequired

from typing_extensions import TypedDict

from components import image_settings as images
from components import kubernetes_values as kube
from components import setting_values as values
from components.app_sources import MORE
from components.env_file_settings import referring
from components.kubernetes_settings import PodResources
from components.setting_declared import declared
from components.setting_values import Refused, Setting
from components.supabase_settings.override import SERVICES, variable_name


class Published(str, Enum):
    """Port of the port plan that an app is published on."""

    APP = "app"
    BACKEND = "backend"


def app_service(text: str) -> str:
    """Check the name of an app: what its workload, its Service and its host name in the stack are called (RFC 1123, a label)."""
    values.app_name(text)
    if text in (*SERVICES, *kube.BESIDE):
        raise Refused("a service of the stack has that name", "give it a name of its own, as in shop-backend")
    return text


def env_text(text: str) -> str:
    """Check the text of a variable of an app that runs in the stack: its references name values that a stack can have."""
    return referring(text, MORE)


def kept_variable(text: str) -> str:
    """Check the name of a variable that a Secret keeps: one that an environment can have, and no longer than a Secret's key may be."""
    if len(text) > 253:
        raise Refused("it is longer than 253 characters", "choose a shorter name", hidden=True)
    return variable_name(text)


def word(text: str) -> str:
    """Check one word of a command: no NUL, which ends an argument, and no longer than Linux takes (execve(2): MAX_ARG_STRLEN)."""
    if not text or "\0" in text or len(text.encode()) > 131000:
        raise Refused("it can't be an argument of a program", "write one word of the command, up to 128 KiB, without a NUL")
    return text


def url_path(text: str) -> str:
    """Check the path of a URL, perhaps with a query: what stands after the host (RFC 3986, 3.3 and 3.4)."""
    if not re.fullmatch(r"/[A-Za-z0-9._~!$&'()*+,;=:@%/?-]{0,500}", text, re.ASCII):
        raise Refused("it is not the path of a URL", 'write it as in "/health"')
    return text


def folder(text: str) -> str:
    """Check a folder inside a container: absolute, and neither the root nor one that the system has."""
    if not re.fullmatch(r"(/[A-Za-z0-9._@+-]+)+", text, re.ASCII) or {".", ".."} & set(text.split("/")):
        raise Refused("it is not the path of a folder", 'write the whole path, as in "/app/.next/cache"')
    if text.split("/")[1] in ("dev", "proc", "sys") or text == "/tmp":  # noqa: S108 - in the container
        raise Refused(
            "the system has that folder already, or it can be written to anyway", "choose one that the app makes itself"
        )
    return text


@declared
class AppAutoscaling(TypedDict):
    """A HorizontalPodAutoscaler of the app, on Kubernetes; `replicas` is the least number of pods then."""

    maxReplicas: NotRequired[Annotated[int, Setting(minimum=1, maximum=1000)]]
    """At most so many pods. Unset: their number is `replicas`."""
    cpuPercent: NotRequired[Annotated[int, Setting(default=70, unit="percent", minimum=10, maximum=100)]]
    """Share of the requested CPU at which there is one more."""


@declared
class AppSecret(TypedDict):
    """A Secret of the app's namespace with a name of your choice."""

    existing: NotRequired[Annotated[bool, Setting(default=False)]]
    """Whether it is in the namespace already and somebody else's: it is only referred to. On Kubernetes alone."""
    keys: NotRequired[Annotated[dict[str, str], Setting(default={}, key_check=kube.secret_key, check=kept_variable)]]
    """The variable of the app that each key is; unless it exists already, its value is what `env` or `appSecrets` says of the variable."""


@declared
class ApplicationSettings(TypedDict):
    """A service of your own that runs in the stack and is fed by it (docs/applications.md)."""

    image: NotRequired[Annotated[str, Setting(check=images.reference)]]
    """Its image, as in "registry.example.com/shop/backend:1.4.2". Needed."""
    port: NotRequired[Annotated[int, Setting(minimum=1, maximum=65535)]]
    """Port that it listens on, by HTTP. Unset: none, as a worker's."""
    publish: NotRequired[Annotated[Published, Setting()]]
    """Port of the port plan that it has on this machine (`make forward` on Kubernetes). Unset: `hostPort`, or none."""
    hostPort: NotRequired[Annotated[int, Setting(minimum=1, maximum=65535)]]
    """The same as a number, that no instance moves. Unset: `publish`, or none."""
    replicas: NotRequired[Annotated[int, Setting(default=1, minimum=1, maximum=100)]]
    """How many of it run side by side on Kubernetes; on Docker one does."""
    autoscaling: NotRequired[AppAutoscaling]
    """A HorizontalPodAutoscaler, on Kubernetes."""
    command: NotRequired[Annotated[list[str], Setting(default=[], minimum=0, maximum=100, check=word)]]
    """Program with its arguments, in place of the image's entrypoint. Unset: the image's."""
    args: NotRequired[Annotated[list[str], Setting(default=[], minimum=0, maximum=100, check=word)]]
    """Arguments, in place of the image's command. Unset: the image's."""
    healthPath: NotRequired[Annotated[str, Setting(check=url_path)]]
    """Path that answers with 200 to 399 when it can take requests. Unset: its port takes connections."""
    resources: NotRequired[PodResources]
    """Memory and CPU; what is unset is the profile's. Docker takes the limits."""
    env: NotRequired[Annotated[dict[str, str], values.variables(key_check=variable_name, check=env_text)]]
    """Environment: texts with `${NAME}` for the stack's values, as the app reaches them. Secrets of your own: `appSecrets`."""
    secrets: NotRequired[Annotated[dict[str, AppSecret], Setting(default={}, key_check=kube.object_name)]]
    """Secrets of Kubernetes by their names, where those matter; other secret variables are in `<app>-env`."""
    connects: NotRequired[Annotated[list[str], Setting(default=[], minimum=0, maximum=50, check=values.app_name)]]
    """Other apps of the stack that it calls, at `http://<name>:<port>`. What `env` refers to is reached anyway."""
    internet: NotRequired[Annotated[bool, Setting(default=True)]]
    """Whether it may call https addresses outside the cluster (`kubernetes.networkPolicy.egress.apps` says which)."""
    host: NotRequired[Annotated[str, Setting(check=kube.dns_name)]]
    """Public host name, brought to it as `kubernetes.exposure` brings the API's (`gateway` or `ingress`). Unset: inside only."""
    tlsSecret: NotRequired[Annotated[str, Setting(check=kube.object_name)]]
    """Secret with the certificate of `host`, for an ingress."""
    userId: NotRequired[Annotated[int, Setting(default=1000, minimum=1, maximum=2147483647)]]
    """User id that it runs as on Kubernetes, never root. 1000 is the user `node` of Node's images."""
    writable: NotRequired[Annotated[list[str], Setting(default=[], minimum=0, maximum=20, check=folder)]]
    """Folders that it writes to on Kubernetes, beside /tmp; what is in them goes with the pod."""
    readOnly: NotRequired[Annotated[bool, Setting(default=True)]]
    """Whether the rest of its file system is read-only on Kubernetes."""
    startWithin: NotRequired[Annotated[int, Setting(default=300, unit="seconds", minimum=5, maximum=3600)]]
    """How long a deployment waits on Kubernetes for all of its pods, with the image pulled; then it fails, and the old pods go on."""
    drain: NotRequired[Annotated[int, Setting(default=10, unit="seconds", minimum=0, maximum=300)]]
    """How long it goes on serving on Kubernetes after it was taken out of the Service: nobody sends it requests any more then."""
    stopGrace: NotRequired[Annotated[int, Setting(default=30, unit="seconds", minimum=1, maximum=3600)]]
    """How long it may take to stop after SIGTERM."""
