"""Services and their manifests, rendered without an engine."""

from components.endpoints import Viewpoint
from components.service import Health, Image, Port, Resources, Service, Volume
from components.setting_groups import complete
from components.targets.kubernetes import marks, placing
from components.targets.kubernetes.naming import Stack
from components.targets.kubernetes.render import Rendering
from components.targets.kubernetes.render import render as rendered
from components.targets.kubernetes.texts import Texts
from tests.unit.components.placements import placement

STACK = Stack(project="shop", stack="prod", namespace="shop-prod", stack_id="feedfacefeedface")


def kubernetes(**settings):
    """A placement in a cluster."""
    where = {"namespace": "shop-prod", "settings": complete("kubernetes", settings)}
    return placement(target="kubernetes", project="shop", stack="prod", kubernetes=where)


def service(name="it", **about):
    """A service that runs as user 1000."""
    about = {
        "image": Image(name, f"registry.example.com/{name}:1.2", user=1000),
        "resources": Resources(memory_mib=64),
        "ports": (Port("http", 8080),),
        "health": Health(("check", "me")),
        **about,
    }
    return Service(name=name, **about)


def data(name="data", path="/data", **about):
    """A volume whose data must stay."""
    return Volume(name, path, precious=True, **about)


def values(services):
    """A value of each secret that can't be mistaken for anything else."""
    return {name: f"<{name}>" for s in services for name in s.secrets}


def render(*services, component="supabase", secrets=None, folder=lambda _: {}, paired=None, **settings):
    """Manifests by name."""
    inside = {
        capability: endpoint
        for (capability, view), endpoint in placing.endpoints(kubernetes(), [s for s in services if not s.off]).items()
        if view is Viewpoint.INSIDE
    }
    how = Rendering(
        stack=STACK,
        component=component,
        settings=complete("kubernetes", settings),
        texts=Texts(stack=STACK, secrets={**values(services), **(secrets or {})}, inside=inside),
        mark=marks.keyed("key"),
        folder=folder,
        paired=paired or {},
    )
    return {manifest.name: manifest for manifest in rendered(how, services)}


def pod(manifest):
    """The pod's spec in a workload."""
    return manifest.body["spec"]["template"]["spec"]


def container(manifest):
    """The one container of a workload."""
    (found,) = pod(manifest)["containers"]
    return found
