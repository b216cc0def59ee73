"""Services and settings to render from."""

from components.service import Edge, Image, Port, Resources, Service, Volume
from components.setting_groups import complete
from components.targets.kubernetes.naming import Stack

STACK = Stack(project="shop", stack="test", namespace="shop-test", stack_id="id")


def service(name, *, port=80, connects=(), publish=None, **more):
    return Service(
        name=name,
        image=Image(name, f"registry.example.com/{name}:1", user=1000),
        resources=Resources(64),
        ports=(Port("http", port, publish),),
        provides={name: "http"},
        connects=tuple(Edge(to) for to in connects),
        **more,
    )


def stored(name, **more):
    return service(name, volumes=(Volume("data", "/data", precious=True),), identity=name, **more)


def settings(**given):
    return complete("kubernetes", given)
